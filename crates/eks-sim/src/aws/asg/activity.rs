//! Activities: what Auto Scaling did, why, and what became of it.

use std::time::Duration;

use eks_provider::aws::{ActivityStatus, ScalingActivity};

use crate::World;
use crate::world::earlier;

/// Activities of the past six weeks are described.
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeScalingActivities.html> (2026-11)
const KEPT: Duration = Duration::from_hours(24 * 42);

/// Begins an activity; its id.
pub(crate) fn begin(
    world: &mut World,
    group: &str,
    description: String,
    cause: String,
    status: ActivityStatus,
    details: Option<String>,
) -> String {
    let now = world.now();
    let id = format!(
        "{}-{}-{}-{}-{}",
        world.random.hex(8),
        world.random.hex(4),
        world.random.hex(4),
        world.random.hex(4),
        world.random.hex(12)
    );
    let over =
        matches!(status, ActivityStatus::Successful | ActivityStatus::Failed | ActivityStatus::Cancelled);
    let activity = ScalingActivity {
        id: id.clone(),
        group: group.to_owned(),
        description,
        cause,
        start_time: now,
        end_time: over.then_some(now),
        progress: Some(if over { 100 } else { 0 }),
        status,
        status_message: None,
        details,
    };
    let since = earlier(now, KEPT);
    if let Some(group) = world.aws.asg.groups.get_mut(group) {
        let forgotten = group.activities.iter().take_while(|one| one.end_time.is_some_and(|end| end < since));
        let forgotten = forgotten.count();
        group.activities.drain(..forgotten);
        group.activities.push(activity);
    }
    id
}

/// Moves an activity on, or ends it.
pub(crate) fn set(
    world: &mut World,
    group: &str,
    id: Option<&str>,
    status: ActivityStatus,
    message: Option<String>,
) {
    let now = world.now();
    let Some(id) = id else { return };
    let Some(group) = world.aws.asg.groups.get_mut(group) else { return };
    let Some(activity) = group.activities.iter_mut().rev().find(|activity| activity.id == id) else { return };
    let over =
        matches!(status, ActivityStatus::Successful | ActivityStatus::Failed | ActivityStatus::Cancelled);
    activity.progress = Some(if over { 100 } else { 50 });
    activity.end_time = over.then_some(now);
    activity.status = status;
    if message.is_some() {
        activity.status_message = message;
    }
}

/// An activity, as it is now.
pub(crate) fn get(world: &World, group: &str, id: &str) -> Option<ScalingActivity> {
    let group = world.aws.asg.groups.get(group)?;
    group.activities.iter().rev().find(|activity| activity.id == id).cloned()
}
