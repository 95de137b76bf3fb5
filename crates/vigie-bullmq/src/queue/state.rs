//! The state of a queue.

use tokio::time::Instant;

use crate::events::fold::Fold;
use crate::failures::reasons::Reasons;
use crate::protocol::levels::Levels;
use crate::queue::activity::Activity;
use crate::queue::handover::Handover;
use crate::queue::holder::NodeId;
use crate::queue::reading::Reading;
use crate::signals::inspection::Remembered;

/// The state that the tasks of a queue share. A plain value: times are arguments.
pub(crate) struct State {
    /// The node that reads the queue.
    pub(super) holder: Option<NodeId>,
    /// `None`: unknown.
    pub(super) counted: Option<Counted>,
    pub(super) activity: Activity,
    pub(super) fold: Fold,
    pub(super) reasons: Reasons,
    pub(super) reading: Handover<Box<Reading>>,
    /// State kept from the last inspection, and the number of gaps at that time.
    pub(super) remembered: (u64, Remembered),
    /// The number of jobs in flight at the last inspection.
    pub(super) census: Option<Census>,
}

/// The job counts of a queue at one time.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) at: Instant,
    pub(crate) levels: Levels,
    /// Whether the next count has to search for markers.
    pub(crate) markers: bool,
}

/// The number of jobs in flight at one time.
#[derive(Clone, Copy)]
pub(super) struct Census {
    pub(super) in_flight: u64,
    /// The time of the count: by the clock of this process (`at`), and by the server's clock in milliseconds (`now`).
    pub(super) at: Instant,
    pub(super) now: u64,
}

impl State {
    pub(super) fn new(fold: Fold, reasons: Reasons) -> Self {
        Self {
            holder: None,
            counted: None,
            activity: Activity::default(),
            fold,
            reasons,
            reading: Handover::default(),
            remembered: Default::default(),
            census: None,
        }
    }
}
