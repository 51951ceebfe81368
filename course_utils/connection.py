"""The course's connection between page and kernel: what an experiment answers is sent at once."""

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """Jupyter's connection with Nagle's algorithm off, which keeps small messages back for some 40 ms."""

    def connect(self):
        self.websocket_handler.set_nodelay(True)
        return super().connect()
