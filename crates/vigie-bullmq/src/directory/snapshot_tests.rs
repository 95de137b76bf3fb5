#![allow(clippy::unwrap_used)]
use super::*;
use crate::events::fold::Fold;
use crate::events::jobs::Room;
use crate::failures::reasons::Reasons;
use crate::protocol::discovery::Found;
use crate::protocol::key::QueueKey;
use crate::queue::keyspace::Keyspace;
use crate::series::families::Families;
use crate::series::levels::Row;
use crate::settings::Settings;
use vigie_metrics::Registry;
use vigie_redis::Endpoint;

struct Cluster {
    families: Arc<Families>,
    space: Arc<Keyspace>,
    endpoint: Endpoint,
}

impl Cluster {
    fn new() -> Self {
        let endpoint = Endpoint::from(redis::Client::open("redis://127.0.0.1").unwrap());
        let settings = Settings::new(endpoint.clone());
        let families = Arc::new(Families::new(&Registry::new(), &settings));
        Self {
            space: Arc::new(Keyspace::new(None, true, Arc::clone(&families))),
            families,
            endpoint,
        }
    }

    fn node(&self, name: &str) -> Arc<WatchedNode> {
        let space = Arc::clone(&self.space);
        let node = WatchedNode::new(Some(name.to_owned()), self.endpoint.clone(), space);
        Arc::new(node)
    }

    fn queue(&self, name: &str) -> Arc<Queue> {
        let found = Found {
            key: QueueKey::new("bull", name),
            events: true,
        };
        let row = Arc::new(Row::new(&self.families, name));
        let fold = Fold::new(100, None, Room::new(100));
        Arc::new(Queue::new(
            found,
            &self.space,
            false,
            row,
            fold,
            Reasons::new(true),
        ))
    }
}

fn slots_of(queues: &[&Arc<Queue>]) -> Slots {
    let mut slots = Slots::none();
    queues
        .iter()
        .for_each(|queue| slots.add(queue.slot..=queue.slot));
    slots
}

fn names(queues: &Queues) -> Vec<&str> {
    queues.iter().map(|queue| queue.key.name()).collect()
}

#[test]
fn queues_follow_their_slots_and_an_unchanged_list_stays_the_same_object() {
    let cluster = Cluster::new();
    let (one, other) = (cluster.node("one"), cluster.node("other"));
    let [a, b, c] = ["{a}", "{b}", "{c}"].map(|name| cluster.queue(name));
    let members = |ones: &[&Arc<Queue>], others: &[&Arc<Queue>]| {
        vec![
            Member::new(Arc::clone(&one), slots_of(ones)),
            Member::new(Arc::clone(&other), slots_of(others)),
        ]
    };
    let first = Snapshot::new(members(&[&a, &b], &[]));
    let (first, holders) = first.with_queues(vec![c.clone(), b.clone(), a.clone()]);
    assert_eq!(names(&first.queues), ["{a}", "{b}", "{c}"]);
    assert_eq!(holders, [Some(one.id), Some(one.id), None]);
    assert!(first.is_incomplete());
    let error = first.errors(|_| None).unwrap();
    assert_eq!(error, format!("{UNASSIGNED} of some queues (1)"));
    assert!(first.error_of(None).is_some() && first.error_of(Some(one.id)).is_none());

    let (second, holders) = first.with_members(members(&[&a, &b], &[&c]));
    assert_eq!(holders, [Some(one.id), Some(one.id), Some(other.id)]);
    assert!(!second.is_incomplete());
    assert_eq!(names(&second.queues_of(other.id)), ["{c}"]);
    let same = Arc::ptr_eq(&first.queues_of(one.id), &second.queues_of(one.id));
    assert!(same, "the session of the first node has nothing to do");

    let (third, holders) = second.with_members(vec![Member::new(Arc::clone(&other), Slots::all())]);
    assert_eq!(holders, [Some(other.id); 3]);
    assert!(Arc::ptr_eq(&third.queues, &third.queues_of(other.id)));
    assert!(third.queues_of(one.id).is_empty() && third.slots_of(one.id).is_empty());
}

#[test]
fn queues_of_a_name_are_adjacent() {
    let cluster = Cluster::new();
    let snapshot = Snapshot::new(Vec::new());
    let queues = ["{b}", "{a}", "{b}", "{c}"].map(|name| cluster.queue(name));
    let (snapshot, _) = snapshot.with_queues(queues.to_vec());
    let count = |name| snapshot.same_name(name).len();
    assert_eq!(["{a}", "{b}", "{c}", "{d}", ""].map(count), [1, 2, 1, 0, 0]);
}
