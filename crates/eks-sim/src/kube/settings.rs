//! How long things take in the cluster, and where that is written.

use std::time::Duration;

use crate::Random;

/// From so long to so long; how long it is each time, chance decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Between {
    /// At least.
    pub least: Duration,
    /// At most.
    pub most: Duration,
}

impl Between {
    /// From so many seconds to so many.
    pub const fn seconds(least: u64, most: u64) -> Self {
        Self { least: Duration::from_secs(least), most: Duration::from_secs(most) }
    }

    /// Always this long.
    pub const fn always(duration: Duration) -> Self {
        Self { least: duration, most: duration }
    }

    pub(crate) fn pick(self, random: &mut Random) -> Duration {
        let span = self.most.saturating_sub(self.least).as_millis();
        match u64::try_from(span) {
            Ok(span) if span > 0 => self.least + Duration::from_millis(random.below(span + 1)),
            _ => self.least,
        }
    }
}

/// How long things take. The default is what Kubernetes and EKS do where nobody has changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// From the start of a machine until its kubelet registers: the time to boot and to bootstrap.
    pub registration: Between,
    /// From one question of a controller to the next: what happens in it is seen together.
    pub sync: Duration,
    /// How long the disruption controller lags behind what it watches.
    pub budget_lag: Duration,
    /// How long the node controller waits for a kubelet that is silent (`--node-monitor-grace-period`; 40 s
    /// until 1.31, 50 s since).
    /// <https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/> (2026-11)
    pub node_monitor_grace_period: Duration,
    /// How often the cloud controller looks whether the machine of a silent node is still there
    /// (`--node-monitor-period`).
    /// <https://kubernetes.io/docs/concepts/architecture/cloud-controller/#node-controller> (2026-11)
    pub cloud_node_period: Duration,
    /// How long a Pod stays whose node is no more: 40 s in quarantine, looked at every 20 s.
    /// <https://github.com/kubernetes/kubernetes/blob/v1.35.0/pkg/controller/podgc/gc_controller.go> (2026-11)
    pub pod_gc: Duration,
    /// How long a Pod without a toleration of its own stays on a node that is silent
    /// (admission plugin DefaultTolerationSeconds).
    /// <https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions> (2026-11)
    pub default_toleration: Duration,
    /// How long the eviction server counts a Pod out whose end it has accepted and that does not leave.
    /// <https://github.com/kubernetes/kubernetes/blob/v1.35.0/pkg/controller/disruption/disruption.go>
    /// (`DeletionTimeout`, 2026-11)
    pub disruption_timeout: Duration,
    /// From a volume's attachment being asked for until it is there.
    pub attach: Between,
    /// From a volume's last Pod being gone until it is detached.
    pub detach: Between,
    /// How long the attach/detach controller waits for a node that is silent before it detaches by force
    /// (`maxWaitForUnmountDuration`).
    /// <https://github.com/kubernetes/kubernetes/blob/v1.35.0/pkg/controller/volume/attachdetach/attach_detach_controller.go>
    /// (2026-11)
    pub force_detach: Duration,
    /// From a Pod being on a node until its containers run: images are pulled, sandboxes made.
    pub container_start: Between,
    /// How often a kubelet that flaps changes its mind.
    pub flap: Between,
    /// How often cluster-autoscaler looks (`--scan-interval`).
    /// <https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md> (2026-11)
    pub autoscaler_scan: Duration,
    /// How long an empty node is kept (`--scale-down-unneeded-time`). Same source.
    pub scale_down_unneeded: Duration,
    /// How long an instance may take to register (`--max-node-provision-time`). Same source.
    pub node_provision_time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            registration: Between::seconds(30, 90),
            sync: Duration::from_millis(50),
            budget_lag: Duration::from_millis(100),
            node_monitor_grace_period: Duration::from_secs(40),
            cloud_node_period: Duration::from_secs(5),
            pod_gc: Duration::from_mins(1),
            default_toleration: Duration::from_mins(5),
            disruption_timeout: Duration::from_mins(2),
            attach: Between::seconds(2, 15),
            detach: Between::seconds(2, 15),
            force_detach: Duration::from_mins(6),
            container_start: Between::seconds(1, 10),
            flap: Between::seconds(30, 120),
            autoscaler_scan: Duration::from_secs(10),
            scale_down_unneeded: Duration::from_mins(10),
            node_provision_time: Duration::from_mins(15),
        }
    }
}
