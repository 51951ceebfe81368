"""The server's connection to kernels."""

from unittest.mock import Mock

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

from course_utils.connection import PromptConnection


def test_messages_are_sent_at_once_and_then_the_connection_is_jupyters(monkeypatch):
    monkeypatch.setattr(ZMQChannelsWebsocketConnection, "connect", lambda self: "connected")
    handler = Mock(spec=KernelWebsocketHandler)
    assert PromptConnection(websocket_handler=handler).connect() == "connected"
    handler.set_nodelay.assert_called_once_with(True)
