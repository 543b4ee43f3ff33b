// LangChain for Go with its own client of Ollama, unmodified.
package main

import (
	"context"
	"os"

	"foreman.example/go-clients/told"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/ollama"
)

func main() {
	base := os.Args[1]
	ctx := context.Background()
	on := func(model string, options ...ollama.Option) *ollama.LLM {
		all := append([]ollama.Option{ollama.WithServerURL(base), ollama.WithModel(model)}, options...)
		llm, err := ollama.New(all...)
		if err != nil {
			panic(err)
		}
		return llm
	}
	messages := []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "You are brief."),
		llms.TextParts(llms.ChatMessageTypeHuman, "hi [[tokens=4]]"),
	}

	whole, err := on("llama3.2").GenerateContent(ctx, messages)
	told.Line("whole", whole, err)

	var chunks []string
	streamed, err := on("llama3.2").GenerateContent(ctx, messages,
		llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			chunks = append(chunks, string(chunk))
			return nil
		}))
	told.Line("streamed", streamed, err)
	told.Line("chunks", chunks, nil)

	shaped, err := on("llama3.2", ollama.WithFormat("json")).GenerateContent(ctx, messages)
	told.Line("json", shaped, err)

	vectors, err := on("nomic-embed-text").CreateEmbedding(ctx, []string{"a", "b"})
	told.Line("embed", vectors, err)

	_, err = on("nobody").GenerateContent(ctx, messages)
	told.Line("nobody", nil, err)
}
