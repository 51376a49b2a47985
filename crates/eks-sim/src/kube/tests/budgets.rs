//! The arithmetic of the disruption controller.

use eks_provider::kube::IntOrPercent::{Int, Percent};

use crate::kube::budgets::{allowed, needed};

#[test]
fn what_a_budget_needs_is_reckoned_as_the_controller_reckons_it() {
    // (minAvailable, maxUnavailable, Pods there are, Pods there are to be) -> (expected, desired healthy)
    for (min, max, pods, scale, expected) in [
        (Some(Int(3)), None, 5, 4, (5, 3)),
        (Some(Int(9)), None, 5, 5, (5, 9)),
        (Some(Percent(50)), None, 7, 7, (7, 4)),
        (Some(Percent(100)), None, 3, 3, (3, 3)),
        (Some(Percent(0)), None, 3, 3, (3, 0)),
        (None, Some(Int(1)), 2, 3, (3, 2)),
        (None, Some(Int(5)), 3, 3, (3, 0)),
        (None, Some(Int(0)), 3, 3, (3, 3)),
        (None, Some(Percent(30)), 7, 7, (7, 4)),
        (None, Some(Percent(1)), 3, 3, (3, 2)),
        (None, Some(Percent(100)), 3, 3, (3, 0)),
    ] {
        assert_eq!(needed(min, max, pods, scale), expected, "{min:?} {max:?} {pods} {scale}");
    }
}

#[test]
fn nothing_is_allowed_while_nothing_is_expected() {
    for (healthy, desired, expected, answer) in
        [(3, 2, 3, 1), (2, 2, 3, 0), (1, 2, 3, 0), (3, 0, 0, 0), (5, 0, 5, 5)]
    {
        assert_eq!(allowed(healthy, desired, expected), answer, "{healthy} {desired} {expected}");
    }
}
