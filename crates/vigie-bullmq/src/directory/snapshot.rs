//! The followed queues and the watched nodes at one time.

use std::sync::Arc;

use vigie_redis::Slots;

use crate::directory::node::WatchedNode;
use crate::directory::plan::{Placed, assign};
use crate::queue::followed::{Queue, Queues};
use crate::queue::holder::NodeId;

/// Error for queues whose slot is not assigned to any node.
const UNASSIGNED: &str = "no node of the cluster holds the slot";

/// The followed queues and the watched nodes. Immutable: a change makes a new one.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) queues: Queues,
    pub(crate) members: Arc<[Member]>,
    /// The number of queues that are on no node.
    unassigned: usize,
    /// Why the nodes of a cluster cannot be read.
    pub(crate) lost: Option<String>,
}

/// A watched node, with its part of the keyspace.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) node: Arc<WatchedNode>,
    /// The slots of the keyspace that it holds.
    pub(crate) slots: Arc<Slots>,
    /// The queues that it holds, in the global order.
    pub(crate) queues: Queues,
}

impl Member {
    pub(crate) fn new(node: Arc<WatchedNode>, slots: Slots) -> Self {
        Self {
            node,
            slots: Arc::new(slots),
            queues: Arc::new([]),
        }
    }
}

impl Snapshot {
    pub(crate) fn new(members: Vec<Member>) -> Self {
        Self {
            queues: Arc::new([]),
            members: members.into(),
            unassigned: 0,
            lost: None,
        }
    }

    /// The same nodes with other queues, and the holder of each queue.
    pub(crate) fn with_queues(&self, mut queues: Vec<Arc<Queue>>) -> (Self, Vec<Option<NodeId>>) {
        queues.sort_by(|a, b| a.order().cmp(&b.order()));
        self.assigned(queues.into(), self.members.to_vec())
    }

    /// The same queues with other nodes, and the holder of each queue.
    pub(crate) fn with_members(&self, mut members: Vec<Member>) -> (Self, Vec<Option<NodeId>>) {
        for member in &mut members {
            member.queues = self.queues_of(member.node.id);
        }
        self.assigned(Arc::clone(&self.queues), members)
    }

    /// Assigns each queue to the node that holds its slot.
    fn assigned(&self, queues: Queues, mut members: Vec<Member>) -> (Self, Vec<Option<NodeId>>) {
        let places: Vec<_> = members
            .iter()
            .map(|member| Placed {
                space: Arc::as_ptr(&member.node.space),
                slots: Arc::clone(&member.slots),
            })
            .collect();
        let asked = queues.iter().map(|queue| Placed {
            space: Arc::as_ptr(&queue.space),
            slots: queue.slot,
        });
        let plan = assign(asked, &places);
        let mut parts = vec![Vec::new(); members.len()];
        for (queue, holder) in queues.iter().zip(&plan) {
            if let Some(at) = holder {
                parts[*at].push(Arc::clone(queue));
            }
        }
        for (member, part) in members.iter_mut().zip(parts) {
            // An unchanged list stays the same object, by which a session detects that nothing has changed.
            let is_same = member.queues.len() == part.len()
                && member
                    .queues
                    .iter()
                    .zip(&part)
                    .all(|(a, b)| Arc::ptr_eq(a, b));
            match (is_same, part.len() == queues.len()) {
                (true, _) => {}
                (false, true) => member.queues = Arc::clone(&queues),
                (false, false) => member.queues = part.into(),
            }
        }
        let holders = plan
            .iter()
            .map(|holder| holder.map(|at| members[at].node.id));
        let holders: Vec<_> = holders.collect();
        let snapshot = Self {
            unassigned: holders.iter().filter(|holder| holder.is_none()).count(),
            queues,
            members: members.into(),
            lost: self.lost.clone(),
        };
        (snapshot, holders)
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Arc<WatchedNode>> {
        self.members.iter().map(|member| &member.node)
    }

    fn member(&self, node: NodeId) -> Option<&Member> {
        self.members.iter().find(|member| member.node.id == node)
    }

    /// The queues of a node; none if it is no longer watched.
    pub(crate) fn queues_of(&self, node: NodeId) -> Queues {
        self.member(node).map_or_else(
            || Arc::new([]) as Queues,
            |member| Arc::clone(&member.queues),
        )
    }

    /// The slots of a node; none if it is no longer watched.
    pub(crate) fn slots_of(&self, node: NodeId) -> Arc<Slots> {
        self.member(node).map_or_else(
            || Arc::new(Slots::none()),
            |member| Arc::clone(&member.slots),
        )
    }

    /// The queues of a name, over all prefixes and databases.
    pub(crate) fn same_name(&self, name: &str) -> &[Arc<Queue>] {
        let first = self.queues.partition_point(|queue| queue.key.name() < name);
        let rest = &self.queues[first..];
        &rest[..rest.partition_point(|queue| queue.key.name() == name)]
    }

    /// Whether some queues or nodes are missing.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.lost.is_some() || self.unassigned > 0
    }

    /// The errors of all nodes, as returned by `of`, with the names of the nodes.
    pub(crate) fn errors(&self, of: impl Fn(&WatchedNode) -> Option<String>) -> Option<String> {
        let of_nodes = self.nodes().filter_map(|node| of(node));
        let unassigned = self.unassigned;
        let unassigned =
            (unassigned > 0).then(|| format!("{UNASSIGNED} of some queues ({unassigned})"));
        let lost = self.lost.clone();
        let errors: Vec<_> = lost.into_iter().chain(unassigned).chain(of_nodes).collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    }

    /// Why the levels of the queues of a node are unknown.
    pub(crate) fn error_of(&self, holder: Option<NodeId>) -> Option<String> {
        match holder.and_then(|holder| self.member(holder)) {
            Some(member) => member.node.health.lock().error.clone(),
            None => Some(format!("{UNASSIGNED} of this queue")),
        }
    }
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
