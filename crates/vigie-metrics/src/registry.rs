//! All families of a program.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::desc::{Desc, Meta};
use crate::epoch::{Epoch, Epochs};
use crate::exposition::{Each, Encoder, Sample, Scrape, View, Visitor};
use crate::family::{Expose, Family, Scope};
use crate::own;
use crate::value::{Counter, Gauge, Value};

/// All families of a program, by name. Clones share them.
#[derive(Clone)]
pub struct Registry {
    entries: Arc<Mutex<BTreeMap<Key, Entry>>>,
    gates: Arc<Mutex<Vec<Gate>>>,
    refused: Family<Counter, 1>,
    page_length: Arc<AtomicUsize>,
    scope: Option<Arc<str>>,
    epochs: Epochs,
}

/// The name, and the value of the [scope](Registry::scoped) or nothing.
type Key = (&'static str, Arc<str>);

/// What is exposed only at times.
#[derive(Clone)]
struct Gate {
    holds: fn(&str) -> bool,
    is_open: Arc<dyn Fn() -> bool + Send + Sync>,
}

#[derive(Clone)]
struct Entry {
    expose: Arc<dyn Expose>,
    family: Arc<dyn Any + Send + Sync>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// A registry with nothing in it but `vigie_series_refused_total`.
    #[must_use]
    pub fn new() -> Self {
        let epochs = Epochs::default();
        let refused = Family::new(&own::SERIES_REFUSED, None, None, epochs.clone());
        let registry = Self {
            entries: Arc::default(),
            gates: Arc::default(),
            refused: refused.clone(),
            page_length: Arc::new(AtomicUsize::new(16 * 1024)),
            scope: None,
            epochs,
        };
        registry.insert(value_of(&None), refused);
        registry
    }

    /// The same registry in a scope, such as one of several databases: families of metrics with a
    /// [scope label](Meta::scope) put it, with this value, before the labels of every series, and share only the name
    /// with the families of other scopes. All other families are those of the unscoped registry.
    #[must_use]
    pub fn scoped(&self, value: &str) -> Self {
        Self {
            scope: Some(value.into()),
            ..self.clone()
        }
    }

    /// The family of a description, made at the first call.
    ///
    /// # Panics
    /// When another description of the same name was registered: a mistake in the program.
    pub fn family<V: Value, const N: usize>(&self, desc: &'static Desc<V, N>) -> Family<V, N> {
        let scope = desc.meta.scope.zip(self.scope.clone());
        let key = (desc.meta.name, value_of(&scope));
        let known = self.entries.lock().get(&key).cloned();
        let Some(entry) = known else {
            let refused = (N > 0).then(|| self.refused.series([desc.meta.name]));
            let family = Family::new(desc, scope, refused, self.epochs.clone());
            return self.insert(key.1, family);
        };
        match entry.family.downcast_ref::<Family<V, N>>() {
            Some(family) => family.clone(),
            None => panic!("{} is registered with another type", desc.meta.name),
        }
    }

    /// Registers a value that is read when somebody asks; `None` leaves the series out.
    pub fn collect(
        &self,
        desc: &'static Desc<Gauge, 0>,
        read: impl Fn() -> Option<f64> + Send + Sync + 'static,
    ) {
        let collected = Collected {
            meta: &desc.meta,
            read: Box::new(read),
        };
        let entry = Entry {
            expose: Arc::new(collected),
            family: Arc::new(()),
        };
        let key = (desc.meta.name, value_of(&None));
        self.entries.lock().insert(key, entry);
    }

    /// Exposes the metrics whose names `holds` takes only while `is_open`, which is asked once for every page. What is
    /// recorded meanwhile is kept.
    pub fn expose_while(
        &self,
        holds: fn(&str) -> bool,
        is_open: impl Fn() -> bool + Send + Sync + 'static,
    ) {
        let is_open = Arc::new(is_open);
        self.gates.lock().push(Gate { holds, is_open });
    }

    /// The descriptions of all that is registered, by name.
    #[must_use]
    pub fn metas(&self) -> Vec<&'static Meta> {
        let entries = self.entries.lock();
        let mut metas: Vec<_> = entries.values().map(|entry| entry.expose.meta()).collect();
        metas.dedup_by_key(|meta| meta.name);
        metas
    }

    /// Begins a scrape by a client that scrapes regularly.
    #[must_use]
    pub fn begin_scrape(&self) -> Epoch {
        self.epochs.begin()
    }

    /// Everything that is known now, in the given format or view. Families come by name, series by age.
    #[must_use]
    pub fn expose(&self, view: impl Into<View>) -> String {
        let entries: Vec<_> = self.entries.lock().values().cloned().collect();
        let mut closed = self.gates.lock().clone();
        closed.retain(|gate| !(gate.is_open)());
        // A page is about as long as the last one.
        let mut page = String::with_capacity(self.page_length.load(Relaxed) + 1024);
        let mut encoder = Encoder::new(view.into(), &mut page);
        for entry in entries {
            let name = entry.expose.meta().name;
            if closed.iter().any(|gate| (gate.holds)(name)) {
                continue;
            }
            entry.expose.expose(&mut encoder);
        }
        encoder.finish();
        self.page_length.store(page.len(), Relaxed);
        page
    }

    /// Calls `each` for every sample that is known now, as the text format would have it: the name (a histogram is
    /// `_bucket`, `_sum` and `_count`), the labels in the order of the description with `le` last, the value.
    ///
    /// ```
    /// use vigie_metrics::{Desc, Gauge, Registry};
    ///
    /// static JOBS: Desc<Gauge, 2> = Desc::gauge("jobs", "Jobs by queue and state.", &["queue", "state"]);
    ///
    /// let registry = Registry::new();
    /// registry.family(&JOBS).set(["mail", "waiting"], 3.0);
    /// registry.visit(|name, labels, value| {
    ///     if name == "jobs" {
    ///         assert_eq!(labels, [("queue", "mail"), ("state", "waiting")]);
    ///         assert_eq!(value, 3.0);
    ///     }
    /// });
    /// ```
    pub fn visit(&self, mut each: impl FnMut(&str, &[(&str, &str)], f64)) {
        self.each(None, &mut |name, labels, value, _| {
            each(name, labels, value)
        });
    }

    /// The same for a client that scrapes regularly. `each` is also told whether the sample is of a count that began since
    /// `scrape.zero_since`, and so was 0 at that scrape.
    pub fn visit_new(
        &self,
        scrape: Scrape,
        mut each: impl FnMut(&str, &[(&str, &str)], f64, bool),
    ) {
        self.each(Some(scrape), &mut each);
    }

    fn each(&self, scrape: Option<Scrape>, each: &mut Each<'_>) {
        let entries: Vec<_> = self.entries.lock().values().cloned().collect();
        for entry in entries {
            entry.expose.visit(scrape, each);
        }
    }

    fn insert<V: Value, const N: usize>(
        &self,
        scope: Arc<str>,
        family: Family<V, N>,
    ) -> Family<V, N> {
        let entry = Entry {
            expose: Arc::new(family.clone()),
            family: Arc::new(family.clone()),
        };
        let key = (family.meta().name, scope);
        self.entries.lock().insert(key, entry);
        family
    }
}

fn value_of(scope: &Option<Scope>) -> Arc<str> {
    scope
        .as_ref()
        .map_or_else(|| "".into(), |(_, value)| Arc::clone(value))
}

struct Collected {
    meta: &'static Meta,
    read: Box<dyn Fn() -> Option<f64> + Send + Sync>,
}

impl Expose for Collected {
    fn meta(&self) -> &'static Meta {
        self.meta
    }

    fn expose(&self, encoder: &mut Encoder<'_>) {
        if let Some(value) = (self.read)() {
            encoder.family(self.meta);
            encoder.sample("", &Sample::Float(value));
        }
    }

    fn visit(&self, _: Option<Scrape>, each: &mut Each<'_>) {
        if let Some(value) = (self.read)() {
            Visitor::new(self.meta, each).series(&[], &Sample::Float(value), false);
        }
    }
}
