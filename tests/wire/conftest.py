"""A broker for raw clients."""
import pytest

from support.wire import Network
from support.world import Broker


@pytest.fixture
def network(tmp_path):
    broker = Broker(tmp_path)
    try:
        yield Network(broker)
        if broker.running():
            assert broker.stop() == 0  # sanitizers speak through it, too
    finally:
        broker.kill()
