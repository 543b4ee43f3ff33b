"""ollama-python and openai-python, unmodified: prints what each call gave, a JSON line each."""

import json
import sys

import ollama
import openai

url = sys.argv[1]
model, embedder = "llama3.2", "nomic-embed-text"
hi = [{"role": "user", "content": "hi [[tokens=4]]"}]
wanted = [{"role": "user", "content": "use tool"}]
parameters = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
tool = {"type": "function", "function": {"name": "weather", "parameters": parameters}}


def tell(event, value):
    print(json.dumps({"event": event, "value": value}), flush=True)


def plain(value):
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return [plain(each) for each in value]


native = ollama.Client(host=url)
tell("ollama chat", plain(native.chat(model=model, messages=hi)))
tell("ollama chat, streamed", plain(native.chat(model=model, messages=hi, stream=True)))
tell("ollama tool", plain(native.chat(model=model, messages=wanted, tools=[tool])))
tell("ollama schema", plain(native.chat(model=model, messages=hi, format=parameters)))
tell("ollama generate", plain(native.generate(model=model, prompt="hi")))
tell("ollama embed", plain(native.embed(model=embedder, input=["a", "b"])))
tell("ollama list", plain(native.list()))
tell("ollama show", plain(native.show(model)))
tell("ollama ps", [each.model for each in native.ps().models])
try:
    native.chat(model="nobody", messages=hi)
except ollama.ResponseError as error:
    tell("ollama error", [error.status_code, error.error])

client = openai.OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)
chats, responses = client.chat.completions, client.responses
tell("openai chat", plain(chats.create(model=model, messages=hi)))
tell("openai chat, streamed", plain(chats.create(model=model, messages=hi, stream=True)))
tell("openai tool", plain(chats.create(model=model, messages=wanted, tools=[tool])))
tell("openai embeddings", plain(client.embeddings.create(model=embedder, input=["a", "b"])))
tell("openai response", plain(responses.create(model=model, input="hi")))
events = responses.create(model=model, input="hi", stream=True)
tell("openai response, streamed", [event.type for event in events])
tell("openai models", [each.id for each in client.models.list().data])
try:
    chats.create(model="nobody", messages=hi)
except openai.NotFoundError as error:
    tell("openai error", [error.status_code, error.body])
