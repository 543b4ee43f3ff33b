// Ollama's own Go client, unmodified.
package main

import (
	"context"
	"net/http"
	"net/url"
	"os"

	"foreman.example/go-clients/told"
	"github.com/ollama/ollama/api"
)

func main() {
	base, err := url.Parse(os.Args[1])
	if err != nil {
		panic(err)
	}
	client := api.NewClient(base, http.DefaultClient)
	ctx := context.Background()
	model, hi := "llama3.2", []api.Message{{Role: "user", Content: "hi [[tokens=4]]"}}

	told.Line("heartbeat", nil, client.Heartbeat(ctx))
	chat := func(name string, stream *bool) {
		var answers []api.ChatResponse
		request := &api.ChatRequest{Model: name, Messages: hi, Stream: stream}
		err := client.Chat(ctx, request, func(answer api.ChatResponse) error {
			answers = append(answers, answer)
			return nil
		})
		told.Line("chat", answers, err)
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
	told.Line("generate", generated, err)
	embedded, err := client.Embed(ctx, &api.EmbedRequest{Model: "nomic-embed-text", Input: "a"})
	told.Line("embed", embedded, err)
	shown, err := client.Show(ctx, &api.ShowRequest{Model: model})
	told.Line("show", shown, err)
	list, err := client.List(ctx)
	told.Line("list", list, err)
	version, err := client.Version(ctx)
	told.Line("version", version, err)
}
