# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A node whose work a lifecycle manager starts and stops, where a parameter says so.

Its parameters are checked, and its stage and topics are made, at the start as ever: what cannot work ends the process at once, exit
code 2, and does not wait for `configure`. The states gate the work: only when active are messages and timers taken, and topics
published. Status, events and diagnostics go on in every state, so that an inactive tracker is said and not taken for a dead one.

Anybody on DDS may call `change_state`, and ROS does not tell who has. So it is said that a stage was taken out, as an event
too; with the parameter `managed_returns` it goes back by itself.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle.node import LifecycleNodeMixin, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.timer import Timer

from aegis.core.events import StageTakenOut
from aegis.ros.host import StageHost
from aegis.ros.topics import MANAGED, RETURNS

UNCONFIGURED, INACTIVE, FINALIZED = "unconfigured", "inactive", "finalized"
_DESCRIPTION = ParameterDescriptor(
    description="Start unconfigured, as a managed (lifecycle) node: a manager configures and activates it. Else it works at once.",
    read_only=True,
)
_RETURNS = ParameterDescriptor(
    description="Of a managed node: go back to `active` by itself 5 s after somebody has deactivated it; not after a shutdown.",
    read_only=True,
)
RETURN_AFTER_S = 5.0


class ManagedNode(LifecycleNodeMixin, Node):  # type: ignore[misc]
    """A node that has a lifecycle once `manage` has given it one; until then it is as any other.

    The state machine is not there before, so that a node without a manager has no services of it.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        Node.__init__(self, *args, **kwargs)
        self._host: StageHost | None = None
        self._returns = False
        self._return: Timer | None = None  # runs while it is out and is to go back

    def is_to_be_managed(self) -> bool:
        """Declare the parameter, and return what it says."""
        managed = bool(self.declare_parameter(MANAGED, False, _DESCRIPTION).value)
        self._returns = managed and bool(self.declare_parameter(RETURNS, False, _RETURNS).value)
        return managed

    def manage(self, host: StageHost) -> None:
        """Give the node its lifecycle, unconfigured. Before an executor has it."""
        self._host = host
        LifecycleNodeMixin.__init__(self)
        service = self._service_change_state
        service.callback = self._refusing(service.callback)
        if self._returns:
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            self._return = self.create_timer(RETURN_AFTER_S, self._go_back, clock=steady, autostart=False)

    def _refusing(self, answer: Callable[..., Any]) -> Callable[..., ChangeState.Response]:
        """Return the answer to `change_state` that refuses what the state has no transition for; rclpy would raise in `spin`."""

        def change(request: ChangeState.Request, response: ChangeState.Response) -> ChangeState.Response:
            try:
                return answer(request, response)
            except RuntimeError as error:  # RCLError, which rclpy does not export
                self.get_logger().warning(
                    f"transition {request.transition.label or request.transition.id} refused: {error}"
                )
                response.success = False
                return response

        return change

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Be inactive: all that is made is made already."""
        return self._step(lambda host: host.idle(INACTIVE), INACTIVE)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to work; what it knew when it was deactivated it still knows."""
        if self._return is not None:
            self._return.cancel()
        return self._step(StageHost.work, "active")

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take and publish nothing; a driver closes its line."""
        return self._step(lambda host: self._take_out(host, state.label, INACTIVE), INACTIVE)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to the state at the start, as `restart` does."""

        def clean(host: StageHost) -> None:
            host.idle(UNCONFIGURED)
            host.stage.reset()

        return self._step(clean, UNCONFIGURED)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of everything; the process stays, to be ended by who has started it."""

        def end(host: StageHost) -> None:
            self._take_out(host, state.label, FINALIZED)
            host.stage.close()

        return self._step(end, FINALIZED)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Be unconfigured again after a transition that failed."""
        return self._step(lambda host: host.idle(UNCONFIGURED), UNCONFIGURED)

    def _take_out(self, host: StageHost, before: str, state: str) -> None:
        """Let the stage rest, and say that somebody wants it so."""
        back = state != FINALIZED and self._return is not None
        if back and self._return is not None:
            self._return.reset()
        how = "only a new start of its process brings it back" if state == FINALIZED else "`activate` brings it back"
        host.idle(state, f"somebody has called change_state, it was {before}; {how}")
        host.tell(StageTakenOut(before, state, RETURN_AFTER_S if back else None))

    def _go_back(self) -> None:
        """Be active again."""
        assert self._return is not None
        self._return.cancel()
        if self._state_machine.current_state[1] == UNCONFIGURED:
            self.trigger_configure()
        if self._state_machine.current_state[1] == INACTIVE:
            self.trigger_activate()

    def _step(self, change: Callable[[StageHost], None], to: str) -> TransitionCallbackReturn:
        """Do what a transition is; say so. rclpy says nothing of an exception in one."""
        assert self._host is not None
        try:
            change(self._host)
        except Exception:  # noqa: BLE001 - the state machine has a state for it, which the manager sees
            self.get_logger().error(f"lifecycle: not {to}:\n{traceback.format_exc()}")
            return TransitionCallbackReturn.ERROR
        self.get_logger().info(f"lifecycle: {to}")
        return TransitionCallbackReturn.SUCCESS
