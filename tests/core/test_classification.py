"""The physical class model: probabilities, and that each feature moves them as physics says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from aegis.core.classification.physical import TABLE, PhysicalModel, decide
from aegis.core.kernels.classification import radial_speed_density
from aegis.core.types import N_CLASSES, ClassId

NUMBER = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")))


@given(NUMBER, NUMBER, NUMBER)
def test_always_a_distribution(rcs, speed, height):
    p = PhysicalModel().posterior(
        1, rcs_dbsm=np.array([rcs]), radial_speed=np.abs(np.array([speed])), height=np.array([height])
    )
    assert p.shape == (1, N_CLASSES)
    assert np.isfinite(p).all()
    assert p.sum() == pytest.approx(1.0)


def test_nothing_measured_gives_the_prior():
    nan = np.array([np.nan])
    model = PhysicalModel()
    np.testing.assert_allclose(model.posterior(1, rcs_dbsm=nan, radial_speed=nan, height=nan)[0], model.prior)


@pytest.mark.parametrize(
    ("rcs", "speed", "height", "expected"),
    [
        (-17.0, 15.0, 120.0, ClassId.DRONE),
        (10.0, 220.0, 9000.0, ClassId.AIRCRAFT),
        (-6.0, 700.0, 300.0, ClassId.MISSILE),
        (0.0, 1.4, 0.0, ClassId.PERSON),
        (40.0, 8.0, 3.0, ClassId.VESSEL),
    ],
)
def test_typical_objects_over_many_looks(rcs, speed, height, expected):
    p = PhysicalModel().posterior(
        1,
        rcs_dbsm=np.array([rcs - 2.51]),
        looks=np.array([50.0]),
        speed=np.array([speed]),
        height=np.array([height]),
    )
    assert p[0].argmax() == expected


def test_car_or_boat_cannot_be_told_apart_and_is_said_to_be_unknown():
    p = PhysicalModel().posterior(1, rcs_dbsm=np.array([22.0]), speed=np.array([8.0]), height=np.array([3.0]))
    assert {p[0].argsort()[-1], p[0].argsort()[-2]} == {ClassId.VEHICLE, ClassId.VESSEL}
    assert decide(p, 0.65)[0][0] == ClassId.UNKNOWN


def test_the_radial_speed_density_integrates_to_one():
    for c in (ClassId.DRONE, ClassId.BIRD, ClassId.MISSILE):
        high = TABLE[c].speed_mps[1]
        total, _ = integrate.quad(
            lambda v, c=c: radial_speed_density(v, *TABLE[c].speed_mps),
            0,
            high,
            points=[0.01 * high],
            limit=200,
        )
        # Speeds under 1 % of the highest are treated alike, which costs the density's logarithmic peak.
        assert total == pytest.approx(1.0, abs=0.01)


def test_a_class_left_out_has_no_probability():
    p = PhysicalModel((ClassId.VESSEL, ClassId.CLUTTER)).posterior(1, speed=np.array([300.0]))
    assert set(np.flatnonzero(p[0])) <= {ClassId.UNKNOWN, ClassId.VESSEL, ClassId.CLUTTER}
    assert p[0].argmax() == ClassId.UNKNOWN


def test_below_the_threshold_the_answer_is_unknown():
    p = np.zeros((2, N_CLASSES))
    p[0, ClassId.DRONE], p[0, ClassId.BIRD] = 0.64, 0.36
    p[1, ClassId.DRONE], p[1, ClassId.BIRD] = 0.65, 0.35
    class_id, confidence = decide(p, 0.65)
    assert class_id.tolist() == [ClassId.UNKNOWN, ClassId.DRONE]
    assert confidence.tolist() == [0.64, 0.65]
