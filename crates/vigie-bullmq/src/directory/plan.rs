//! Assignment of queues to nodes.

use std::sync::Arc;

use vigie_redis::Slots;

/// A queue or a node: `S` identifies its keyspace.
#[derive(Clone, Debug)]
pub(crate) struct Placed<S, T> {
    pub(crate) space: S,
    /// The slot of a queue, or the slots of a node.
    pub(crate) slots: T,
}

/// The index of the node that holds each queue; `None`: no node does.
pub(crate) fn assign<S: PartialEq>(
    queues: impl Iterator<Item = Placed<S, u16>>,
    nodes: &[Placed<S, Arc<Slots>>],
) -> Vec<Option<usize>> {
    let holder = |queue: Placed<S, u16>| {
        nodes
            .iter()
            .position(|node| node.space == queue.space && node.slots.contains(queue.slots))
    };
    queues.map(holder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn node(space: u8, slots: impl IntoIterator<Item = u16>) -> Placed<u8, Arc<Slots>> {
        let mut held = Slots::none();
        for slot in slots {
            held.add(slot..=slot);
        }
        Placed {
            space,
            slots: Arc::new(held),
        }
    }

    fn queue(space: u8, slots: u16) -> Placed<u8, u16> {
        Placed { space, slots }
    }

    #[test]
    fn a_queue_is_on_the_node_that_holds_its_slot_in_its_keyspace() {
        let nodes = [node(0, [1, 2]), node(0, [3]), node(1, [1, 2, 3])];
        let queues = [queue(0, 3), queue(1, 3), queue(0, 9), queue(2, 1)];
        let plan = assign(queues.into_iter(), &nodes);
        assert_eq!(plan, [Some(1), Some(2), None, None]);
        assert_eq!(assign([queue(0, 1)].into_iter(), &[]), [None]);
    }

    proptest! {
        /// Every queue gets a node that holds it if there is one, and moving a slot moves only the queues of that slot.
        #[test]
        fn only_queues_of_a_moved_slot_move(
            queues in prop::collection::vec(0u16..8, 0..20),
            holders in prop::array::uniform8(0usize..3),
            slot in 0u16..8,
            to in 0usize..3,
        ) {
            let nodes = |holders: [usize; 8]| [0, 1, 2].map(|at| {
                node(0, (0..8u16).filter(|slot| holders[usize::from(*slot)] == at))
            });
            let plan = |holders| assign(queues.iter().map(|slot| queue(0, *slot)), &nodes(holders));
            let before = plan(holders);
            let mut moved = holders;
            moved[usize::from(slot)] = to;
            for ((queue, before), after) in queues.iter().zip(before).zip(plan(moved)) {
                prop_assert_eq!(before, Some(holders[usize::from(*queue)]));
                prop_assert_eq!(after, if *queue == slot { Some(to) } else { before });
            }
        }
    }
}
