// Ollama's own Go client, unmodified: prints what each call gave, a JSON line each.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/ollama/ollama/api"
)

func tell(event string, value any, err error) {
	if err != nil {
		value = err.Error()
	}
	line, _ := json.Marshal(map[string]any{"event": event, "value": value})
	fmt.Println(string(line))
}

func main() {
	base, err := url.Parse(os.Args[1])
	if err != nil {
		panic(err)
	}
	client := api.NewClient(base, http.DefaultClient)
	ctx := context.Background()
	model, hi := "llama3.2", []api.Message{{Role: "user", Content: "hi [[tokens=4]]"}}

	tell("heartbeat", nil, client.Heartbeat(ctx))
	chat := func(name string, stream *bool) {
		var answers []api.ChatResponse
		request := &api.ChatRequest{Model: name, Messages: hi, Stream: stream}
		err := client.Chat(ctx, request, func(answer api.ChatResponse) error {
			answers = append(answers, answer)
			return nil
		})
		tell("chat", answers, err)
	}
	whole := false
	chat(model, nil)
	chat(model, &whole)
	chat("nobody", nil)
	var generated []api.GenerateResponse
	err = client.Generate(ctx, &api.GenerateRequest{Model: model, Prompt: "hi"},
		func(answer api.GenerateResponse) error {
			generated = append(generated, answer)
			return nil
		})
	tell("generate", generated, err)
	embedded, err := client.Embed(ctx, &api.EmbedRequest{Model: "nomic-embed-text", Input: "a"})
	tell("embed", embedded, err)
	shown, err := client.Show(ctx, &api.ShowRequest{Model: model})
	tell("show", shown, err)
	list, err := client.List(ctx)
	tell("list", list, err)
	version, err := client.Version(ctx)
	tell("version", version, err)
}
