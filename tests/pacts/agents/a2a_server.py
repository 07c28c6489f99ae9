"""A real A2A server of the official SDK on loopback: echoes, fails, asks back, or is slow."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import a2a_pb2 as pb
from google.protobuf.json_format import (
    MessageToDict,
    ParseDict,
)
from starlette.applications import Starlette

REPORT: dict[str, Any] = {
    "model": "doubler-2",
    "fingerprint": "fp_1",
    "usage": {"input_tokens": 12, "output_tokens": 3},
    "tool_calls": [{"name": "calculator", "arguments": {"a": 21}}],
}


class Doubler(AgentExecutor):
    """Doubles `number`; a text says how to behave: fail, reject, ask, message, slow, report."""

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        assert context.message is not None
        part = context.message.parts[0]
        text = part.text
        if text == "message":
            reply = said("plain")
            await event_queue.enqueue_event(reply)
            return
        task = pb.Task(
            id=context.task_id or "t",
            context_id=context.context_id or "c",
            status=pb.TaskStatus(state=pb.TASK_STATE_SUBMITTED),
        )
        await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        await updater.start_work()
        if text == "slow":
            await asyncio.sleep(0.6)
        endings = {"fail": updater.failed, "reject": updater.reject, "ask": updater.requires_input}
        if text in endings:
            await endings[text]()
            return
        given = MessageToDict(part.data) if part.HasField("data") else {}
        answer = {"answer": given.get("number", 0) * 2}
        await updater.add_artifact([ParseDict({"data": answer}, pb.Part())])
        await updater.complete(said("done") if text == "report" else None)

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        raise NotImplementedError


def said(text: str) -> pb.Message:
    """A message that reports what it took to answer."""
    message = pb.Message(role=pb.ROLE_AGENT, message_id="m", parts=[pb.Part(text=text)])
    message.metadata.update({"earnest-json/1": REPORT})
    return message


def card_of(url: str) -> pb.AgentCard:
    return pb.AgentCard(
        name="Doubler",
        description="Doubles numbers.",
        version="1.2.3",
        supported_interfaces=[
            pb.AgentInterface(url=url, protocol_binding="JSONRPC", protocol_version="1.0")
        ],
        capabilities=pb.AgentCapabilities(),
        default_input_modes=["application/json"],
        default_output_modes=["application/json"],
        skills=[pb.AgentSkill(id="double", name="Doubling", description="x2", tags=["math"])],
    )


@contextmanager
def a2a_agent() -> Iterator[str]:
    """Serves 0.3 and 1.0 at the address it yields."""
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    card = card_of(f"{origin}/rpc")
    handler = DefaultRequestHandler(
        agent_executor=Doubler(), task_store=InMemoryTaskStore(), agent_card=card
    )
    app = Starlette(
        routes=[
            *create_jsonrpc_routes(handler, "/rpc", enable_v0_3_compat=True),
            *create_agent_card_routes(card),
        ]
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield origin
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
