import cv2
import numpy as np
import pytest
from matplotlib import cbook


@pytest.fixture(scope="session")
def photo():
    """Grace Hopper, BGR: public domain, shipped with matplotlib."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        return cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)
