//! The families of a program.

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

/// The families of a program, by name. Clones share them.
#[derive(Clone)]
pub struct Registry {
    entries: Arc<Mutex<BTreeMap<Key, Entry>>>,
    gates: Arc<Mutex<Vec<Gate>>>,
    refused: Family<Counter, 1>,
    page_length: Arc<AtomicUsize>,
    scope: Option<Arc<str>>,
    epochs: Epochs,
}

/// The name, and the value of the [scope](Registry::scoped) or an empty string.
type Key = (&'static str, Arc<str>);

/// Metrics that are exposed conditionally.
#[derive(Clone)]
struct Gate {
    holds: fn(&str) -> bool,
    is_open: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Whether the values are unknown while it is closed, and not only withheld from the pages.
    is_unknown: bool,
}

#[derive(Clone)]
struct Entry {
    expose: Arc<dyn Expose>,
    family: Arc<dyn Any + Send + Sync>,
}

impl Entry {
    fn of<V: Value, const N: usize>(family: &Family<V, N>) -> Self {
        Self {
            expose: Arc::new(family.clone()),
            family: Arc::new(family.clone()),
        }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// A registry that contains only `vigie_series_refused_total`.
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
        let key = (own::SERIES_REFUSED.meta.name, value_of(&None));
        registry.entries.lock().insert(key, Entry::of(&refused));
        registry
    }

    /// The same registry in a scope, such as one of several databases. Families of metrics with a [scope
    /// label](Meta::scope) add it, with this value, before the labels of each series; families of different scopes
    /// share only the name. All other families are those of the unscoped registry.
    #[must_use]
    pub fn scoped(&self, value: &str) -> Self {
        Self {
            scope: Some(value.into()),
            ..self.clone()
        }
    }

    /// The family of a description, created on the first call.
    ///
    /// # Panics
    /// If another description of the same name was registered: a bug in the program.
    pub fn family<V: Value, const N: usize>(&self, desc: &'static Desc<V, N>) -> Family<V, N> {
        let scope = desc.meta.scope.zip(self.scope.clone());
        let key = (desc.meta.name, value_of(&scope));
        // Held until the family is inserted, so that concurrent calls get the same one.
        let mut entries = self.entries.lock();
        let Some(entry) = entries.get(&key) else {
            let refused = (N > 0).then(|| self.refused.series([desc.meta.name]));
            let family = Family::new(desc, scope, refused, self.epochs.clone());
            entries.insert(key, Entry::of(&family));
            return family;
        };
        match entry.family.downcast_ref::<Family<V, N>>() {
            Some(family) => family.clone(),
            None => panic!("{} is registered with another type", desc.meta.name),
        }
    }

    /// Registers a value that is read for each page; `None` omits the series.
    ///
    /// # Panics
    /// If the name is already registered: a bug in the program.
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
        let replaced = self.entries.lock().insert(key, entry);
        assert!(replaced.is_none(), "{} is registered twice", desc.meta.name);
    }

    /// Exposes the metrics whose names match `holds` only while `is_open` returns `true`; it is called once for each
    /// page. Recording continues regardless.
    pub fn expose_while(
        &self,
        holds: fn(&str) -> bool,
        is_open: impl Fn() -> bool + Send + Sync + 'static,
    ) {
        self.gates.lock().push(Gate {
            holds,
            is_open: Arc::new(is_open),
            is_unknown: false,
        });
    }

    /// The metrics whose names match `holds` have values only while `is_known` returns `true`: otherwise they are neither
    /// exposed nor [visited](Self::visit). Recording continues regardless.
    pub fn known_while(
        &self,
        holds: fn(&str) -> bool,
        is_known: impl Fn() -> bool + Send + Sync + 'static,
    ) {
        self.gates.lock().push(Gate {
            holds,
            is_open: Arc::new(is_known),
            is_unknown: true,
        });
    }

    /// The descriptions of all registered metrics, by name.
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

    /// All known samples in the given format or view. Families are sorted by name, series by age.
    #[must_use]
    pub fn expose(&self, view: impl Into<View>) -> String {
        let entries: Vec<_> = self.entries.lock().values().cloned().collect();
        let mut closed = self.gates.lock().clone();
        closed.retain(|gate| !(gate.is_open)());
        // Pages have similar lengths.
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

    /// Calls `each` for each known sample, as in the text format: the name (a histogram has `_bucket`, `_sum` and
    /// `_count`), the labels in the order of the description with `le` last, the value.
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

    /// The same for a client that scrapes regularly. The last argument of `each` is whether the sample is of a count
    /// that started since `scrape.zero_since`, and so was 0 at that scrape.
    pub fn visit_new(
        &self,
        scrape: Scrape,
        mut each: impl FnMut(&str, &[(&str, &str)], f64, bool),
    ) {
        self.each(Some(scrape), &mut each);
    }

    fn each(&self, scrape: Option<Scrape>, each: &mut Each<'_>) {
        let entries: Vec<_> = self.entries.lock().values().cloned().collect();
        let mut unknown = self.gates.lock().clone();
        unknown.retain(|gate| gate.is_unknown && !(gate.is_open)());
        for entry in entries {
            let name = entry.expose.meta().name;
            if unknown.iter().any(|gate| (gate.holds)(name)) {
                continue;
            }
            entry.expose.visit(scrape, each);
        }
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
