"""What Velocity's backend does with foreman, as a program: providers, a chat, a batch, its results.

    python3 velocity_backend.py http://127.0.0.1:8080

Prints one JSON document a line. The connection may be cut at any moment, and foreman may be away for
a while: whatever is asked is asked again, and a submission bears an Idempotency-Key.
"""

import asyncio
import json
import sys

import httpx

MODEL = "qwen3.6:35b-a3b"
ITEMS = 12
PATIENCE_S = 60


def tell(event: str, **facts: object) -> None:
    print(json.dumps({"event": event, **facts}), flush=True)


class RuntimeLlm:
    """The runtime-LLM API, as a FastAPI service would hold it: one client for its whole life."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.AsyncClient(base_url=f"{base_url}/api/runtime/llm", timeout=PATIENCE_S)

    async def ask(self, method: str, path: str, **options: object) -> httpx.Response:
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                answer = await self._client.request(method, path, **options)
                if answer.status_code < 500:
                    answer.raise_for_status()
                    return answer
            except httpx.TransportError:
                pass
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"{method} {path}")
            await asyncio.sleep(0.1)

    async def lines(self, path: str) -> list[dict]:
        headers = {"accept": "application/x-ndjson"}
        async with self._client.stream("GET", path, headers=headers) as answer:
            return [json.loads(line) async for line in answer.aiter_lines()]

    async def close(self) -> None:
        await self._client.aclose()


async def pages(llm: RuntimeLlm, job_id: str) -> list[dict]:
    results, after = [], 0
    while after is not None:
        query = {"after": after, "limit": 5}
        page = (await llm.ask("GET", f"/jobs/{job_id}/results", params=query)).json()
        results += page["results"]
        after = page["next"]
    return results


async def main(base_url: str) -> None:
    llm = RuntimeLlm(base_url)
    providers = (await llm.ask("GET", "/providers")).json()["providers"]
    tell("providers", ids=sorted(provider["id"] for provider in providers))

    chat = {
        "provider": "ollama",
        "model": MODEL,
        "system_prompt": "You are Oracle Planner.",
        "messages": [
            {
                "role": "user",
                "content": "Build a CRM pipeline view for high-intent NRI buyers.",
            }
        ],
        "temperature": 0.2,
        "response_format": "json",
    }
    answer = (await llm.ask("POST", "/chat", json=chat)).json()
    tell("chat", provider=answer["provider"], is_json=answer["json"] == json.loads(answer["content"]))

    batch = {
        "provider": "ollama",
        "model": MODEL,
        "job_type": "oracle_canvas_planning",
        "items": [
            {
                "request_id": f"req_{number:03}",
                "messages": [{"role": "user", "content": f"Show overdue follow-ups, part {number}."}],
                "response_format": "json",
            }
            for number in range(ITEMS)
        ],
    }
    headers = {"Idempotency-Key": "nightly plan"}
    job = (await llm.ask("POST", "/batch", json=batch, headers=headers)).json()
    tell("submitted", job_id=job["job_id"], count=job["submitted_count"])

    while job["status"] not in ("completed", "failed", "cancelled"):
        await asyncio.sleep(0.05)
        job = (await llm.ask("GET", f"/jobs/{job['job_id']}")).json()
    again = (await llm.ask("POST", "/batch", json=batch, headers=headers)).json()
    results = await pages(llm, job["job_id"])
    lines = await llm.lines(f"/jobs/{job['job_id']}/results")
    one = (await llm.ask("GET", f"/jobs/{job['job_id']}/results/req_003")).json()
    tell(
        "done",
        status=job["status"],
        counts=[job["submitted_count"], job["completed_count"], job["failed_count"]],
        is_same_job=again["job_id"] == job["job_id"],
        request_ids=[result["request_id"] for result in results],
        are_json=all(result["json"] == json.loads(result["content"]) for result in results),
        are_lines_alike=lines == results,
        is_one_alike=one == results[3],
    )
    await llm.close()


asyncio.run(main(sys.argv[1]))
