"""The same as orchestrator.mjs in Python, as a Django consumer would do it: httpx, and no SDK.

    python3 orchestrator.py http://127.0.0.1:8080
"""

import asyncio
import json
import sys

import httpx

MODEL = "llama3.2"
SESSIONS = 5
TURNS_MAX = 4
TRIES_MAX = 100

KNOWLEDGE = ["Refunds take five days.", "The archive opens at nine.", "Ada leads onboarding."]


def tool(name, parameter):
    parameters = {
        "type": "object",
        "properties": {parameter: {"type": "string"}},
        "required": [parameter],
    }
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [tool("search_knowledge", "query"), tool("update_progress", "note")]


class BrokenOff(Exception):
    """A stream that ended without its end."""


async def patiently(ask):
    """Asks again while nobody is there, or when an answer breaks off."""
    for tries in range(TRIES_MAX):
        try:
            return await ask()
        except httpx.HTTPStatusError as error:
            if error.response.status_code < 500:
                raise
        except (httpx.TransportError, BrokenOff):
            pass
        await asyncio.sleep(0.1)
    raise RuntimeError("nobody answers")


async def embed(client, texts):
    async def ask():
        answer = await client.post("/v1/embeddings", json={"model": "nomic-embed-text", "input": texts})
        answer.raise_for_status()
        return [each["embedding"] for each in answer.json()["data"]]

    return await patiently(ask)


async def search(client, vectors, query):
    [wanted] = await embed(client, [query])
    scores = [sum(a * b for a, b in zip(wanted, vector)) for vector in vectors]
    return KNOWLEDGE[scores.index(max(scores))]


async def turn(client, messages):
    """One streamed answer, gathered: its words and its tool calls."""

    async def ask():
        body = {"model": MODEL, "messages": messages, "tools": TOOLS, "stream": True}
        words, calls, is_whole = "", [], False
        async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if not line.startswith("data: "):
                    continue
                if line == "data: [DONE]":
                    is_whole = True
                    continue
                event = json.loads(line.removeprefix("data: "))
                for choice in event.get("choices", []):
                    words += choice["delta"].get("content") or ""
                    calls += choice["delta"].get("tool_calls") or []
        if not is_whole:
            raise BrokenOff
        return words, calls

    return await patiently(ask)


async def converse(client, vectors, number):
    messages = [
        {"role": "system", "content": "You help people who are new here."},
        {"role": "user", "content": f"Please use tool. I am number {number}: who leads onboarding?"},
    ]
    done = []
    for turns in range(1, TURNS_MAX + 1):
        words, calls = await turn(client, messages)
        if not calls:
            return {"id": number, "turns": turns, "calls": done, "answer": words}
        messages.append({"role": "assistant", "content": words, "tool_calls": calls})
        for call in calls:
            name = call["function"]["name"]
            done.append(name)
            given = list(json.loads(call["function"]["arguments"]).values())
            is_search = name == "search_knowledge"
            result = await search(client, vectors, str(given[0] if given else "")) if is_search else "noted"
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    raise RuntimeError(f"session {number}: the model wants tools without an end")


async def main():
    async with httpx.AsyncClient(base_url=sys.argv[1], timeout=None) as client:
        vectors = await embed(client, KNOWLEDGE)
        for session in await asyncio.gather(*(converse(client, vectors, i) for i in range(SESSIONS))):
            print(json.dumps(session), flush=True)


asyncio.run(main())
