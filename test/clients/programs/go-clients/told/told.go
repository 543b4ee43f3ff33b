// Package told prints what a call gave, a JSON line each.
package told

import (
	"encoding/json"
	"fmt"
)

// Line prints the value, or the error's words where there is one.
func Line(event string, value any, err error) {
	if err != nil {
		value = err.Error()
	}
	line, _ := json.Marshal(map[string]any{"event": event, "value": value})
	fmt.Println(string(line))
}
