//! The state that the tasks of all nodes share.

use std::sync::Arc;

use vigie_metrics::Registry;
use vigie_redis::Slots;

use crate::directory::current::Directory;
use crate::directory::node::WatchedNode;
use crate::directory::snapshot::Member;
use crate::queue::keyspace::Keyspace;
use crate::series::families::Families;
use crate::session::hints::Hints;
use crate::settings::Settings;

pub(crate) struct Context {
    pub(crate) settings: Settings,
    /// Series that do not belong to a single queue or database.
    pub(crate) families: Arc<Families>,
    pub(crate) directory: Directory,
    pub(crate) hints: Hints,
}

impl Context {
    pub(crate) fn new(mut settings: Settings, registry: &Registry) -> Self {
        let families = Arc::new(Families::new(registry, &settings));
        let redis = settings.redis.clone();
        if redis.is_cluster() {
            settings.databases.clear();
        }
        let member = |name, endpoint, database, families| {
            let space = Arc::new(Keyspace::new(database, false, families));
            let node = Arc::new(WatchedNode::new(name, endpoint, space));
            Member::new(node, Slots::all())
        };
        let mut members = Vec::new();
        for database in &settings.databases {
            let registry = registry.scoped(&database.to_string());
            let families = Arc::new(Families::new(&registry, &settings));
            let endpoint = redis.clone().in_database(*database);
            let name = Some(format!("database {database}"));
            members.push(member(name, endpoint, Some(*database), families));
        }
        settings.redis = redis
            .clone()
            .or_in_database(settings.databases.first().copied());
        if settings.databases.is_empty() && !redis.is_cluster() {
            members.push(member(None, redis, None, Arc::clone(&families)));
        }
        Self {
            directory: Directory::new(&settings, Arc::clone(&families), members),
            settings,
            families,
            hints: Hints::default(),
        }
    }
}
