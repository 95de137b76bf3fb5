//! The series of one metric, indexed by label values.

use std::hash::{BuildHasher, Hasher};
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard};
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::desc::{Desc, Meta};
use crate::epoch::{Birth, Epochs};
use crate::exposition::{Each, Encoder, Origin, Scrape, Visitor, push_label};
use crate::recent::{self, Edition};
use crate::value::{Counter, Gauge, Histogram, Value};

/// The label and value that a scope adds to each series of a family.
pub(crate) type Scope = (&'static str, Arc<str>);

/// A series: label values and a recorded value.
///
/// On a hot path with constant labels, keep the [`Arc`] that [`Family::series`] returns.
#[derive(Debug)]
pub struct Series<V, const N: usize> {
    value: V,
    hash: u64,
    /// `method="GET",route="/x"`, rendered once, so that a scrape only copies it. The raw values that had to be
    /// escaped follow.
    text: Box<str>,
    /// The range of each value in the text, which is shorter than 4 GiB.
    places: [(u32, u32); N],
    rendered: u32,
    /// In Unix seconds.
    created: u32,
    birth: Birth,
}

impl<V, const N: usize> Series<V, N> {
    fn has(&self, labels: &[&str; N]) -> bool {
        let mut pairs = self.places.iter().zip(labels);
        // By bytes: a part of a string is checked for whole characters.
        pairs.all(|(&(start, end), label)| {
            self.text.as_bytes().get(start as usize..end as usize) == Some(label.as_bytes())
        })
    }

    /// The label values, in the order of the labels in the description.
    #[must_use]
    pub fn labels(&self) -> [&str; N] {
        self.places
            .map(|(start, end)| &self.text[start as usize..end as usize])
    }

    fn rendered(&self) -> &str {
        &self.text[..self.rendered as usize]
    }
}

impl<V, const N: usize> Deref for Series<V, N> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.value
    }
}

/// The series of one metric. Clones share them.
#[derive(Debug)]
pub struct Family<V: 'static, const N: usize>(Arc<Inner<V, N>>);

impl<V: 'static, const N: usize> Clone for Family<V, N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct Inner<V: 'static, const N: usize> {
    desc: &'static Desc<V, N>,
    hasher: RandomState,
    /// A reader takes only the lock of its own core, so recording threads do not contend.
    index: ShardedLock<Index<V, N>>,
    /// Receives recordings beyond the limit; never exposed.
    overflow: Arc<Series<V, N>>,
    refused: Option<Arc<Series<Counter, 1>>>,
    scope: Option<Scope>,
    epochs: Epochs,
    /// Unique among all families.
    number: u64,
    /// Increases when series are removed, which moves the others; changes only while the index is locked for writing.
    generation: AtomicU64,
}

/// The number of the next family.
static NEXT: AtomicU64 = AtomicU64::new(0);

#[derive(Debug)]
struct Index<V, const N: usize> {
    /// In the order of creation, which is the order of exposition.
    series: Vec<Arc<Series<V, N>>>,
    /// Indexes by labels; a family has fewer than 2^32 series.
    positions: HashTable<u32>,
}

impl<V, const N: usize> Index<V, N> {
    fn find(&self, hash: u64, labels: &[&str; N]) -> Option<&Arc<Series<V, N>>> {
        let found = self
            .positions
            .find(hash, |&at| self.series[at as usize].has(labels));
        found.map(|&at| &self.series[at as usize])
    }
}

impl<V: Value, const N: usize> Family<V, N> {
    pub(crate) fn new(
        desc: &'static Desc<V, N>,
        scope: Option<Scope>,
        refused: Option<Arc<Series<Counter, 1>>>,
        epochs: Epochs,
    ) -> Self {
        let birth = Birth::new(epochs.current());
        let overflow = Arc::new(new_series(desc, scope.as_ref(), birth, 0, &[""; N]));
        Self(Arc::new(Inner {
            desc,
            hasher: RandomState::default(),
            index: ShardedLock::new(Index {
                series: Vec::new(),
                positions: HashTable::new(),
            }),
            overflow,
            refused,
            scope,
            epochs,
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            generation: AtomicU64::new(0),
        }))
    }

    /// The series with these label values, created if it does not exist.
    ///
    /// Beyond the limit of the family, the returned series is not exposed and `vigie_series_refused_total` increases.
    #[must_use]
    pub fn series(&self, labels: [&str; N]) -> Arc<Series<V, N>> {
        let hash = self.hash(&labels);
        if let Some(series) = self.read().find(hash, &labels) {
            return Arc::clone(series);
        }
        self.create(hash, &labels)
    }

    /// Removes each series for which `keep` returns `false`. A series that is still held elsewhere is no longer
    /// exposed.
    pub fn retain(&self, mut keep: impl FnMut([&str; N]) -> bool) {
        let mut index = self.0.index.write().unwrap_or_else(PoisonError::into_inner);
        let index = &mut *index;
        index.series.retain(|series| keep(series.labels()));
        self.0.generation.fetch_add(1, Ordering::Release);
        index.positions.clear();
        for (at, series) in index.series.iter().enumerate() {
            let hash_of = |&at: &u32| index.series[at as usize].hash;
            index
                .positions
                .insert_unique(series.hash, at as u32, hash_of);
        }
    }

    /// Calls `each` for every series, by age.
    pub fn for_each(&self, mut each: impl FnMut([&str; N], &V)) {
        let series = self.read().series.clone();
        for series in series {
            each(series.labels(), &series.value);
        }
    }

    /// How many series there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().series.len()
    }

    /// Whether there are no series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Records into one series: the path of every request. A thread that has recorded into it before takes no lock.
    fn record(&self, labels: [&str; N], record: impl Fn(&V)) {
        let hash = self.hash(&labels);
        let is_it = |series: &Series<V, N>| series.has(&labels);
        if recent::with(self.edition(), hash, is_it, |series| record(&series.value)) {
            return;
        }
        let index = self.read();
        if let Some(series) = index.find(hash, &labels) {
            // The generation cannot change before the lock is released.
            let (edition, series) = (self.edition(), Arc::clone(series));
            drop(index);
            record(&series.value);
            return recent::remember(edition, hash, series);
        }
        drop(index);
        // Read before the series is created: if series are removed meanwhile, it is looked up again.
        let edition = self.edition();
        let series = self.create(hash, &labels);
        record(&series.value);
        if !Arc::ptr_eq(&series, &self.0.overflow) {
            recent::remember(edition, hash, series);
        }
    }

    fn edition(&self) -> Edition {
        Edition {
            family: self.0.number,
            generation: self.0.generation.load(Ordering::Acquire),
        }
    }

    fn create(&self, hash: u64, labels: &[&str; N]) -> Arc<Series<V, N>> {
        let mut index = self.0.index.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = index.find(hash, labels) {
            return Arc::clone(series);
        }
        if index.series.len() >= self.0.desc.meta.max_series {
            if let Some(refused) = &self.0.refused {
                refused.inc();
            }
            return Arc::clone(&self.0.overflow);
        }
        // Read under the lock: a scrape that begins later includes the series.
        let birth = Birth::new(self.0.epochs.current());
        let (desc, scope) = (self.0.desc, self.0.scope.as_ref());
        let series = Arc::new(new_series(desc, scope, birth, hash, labels));
        let index = &mut *index;
        let at = index.series.len();
        index.series.push(Arc::clone(&series));
        let hash_of = |&at: &u32| index.series[at as usize].hash;
        index.positions.insert_unique(hash, at as u32, hash_of);
        series
    }

    fn read(&self) -> ShardedLockReadGuard<'_, Index<V, N>> {
        self.0.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn hash(&self, labels: &[&str; N]) -> u64 {
        let mut hasher = self.0.hasher.build_hasher();
        for label in labels {
            hasher.write(label.as_bytes());
            // 0xff does not occur in UTF-8, so ("ab","c") and ("a","bc") hash differently.
            hasher.write_u8(0xff);
        }
        hasher.finish()
    }
}

fn new_series<V: Value, const N: usize>(
    desc: &'static Desc<V, N>,
    scope: Option<&Scope>,
    birth: Birth,
    hash: u64,
    labels: &[&str; N],
) -> Series<V, N> {
    let mut text = String::new();
    if let Some((name, value)) = scope {
        push_label(&mut text, name, value);
    }
    let mut places = [None; N];
    for (place, (name, value)) in places.iter_mut().zip(desc.meta.labels.iter().zip(labels)) {
        push_label(&mut text, name, value);
        // The position before the closing quotation mark.
        let end = text.len() - 1;
        if text[..end].ends_with(value) {
            *place = Some((end - value.len(), end));
        }
    }
    let rendered = text.len() as u32;
    for (place, value) in places.iter_mut().zip(labels) {
        if place.is_none() {
            *place = Some((text.len(), text.len() + value.len()));
            text.push_str(value);
        }
    }
    Series {
        value: V::new(&desc.meta),
        hash,
        places: places.map(|place| place.map_or((0, 0), |(start, end)| (start as u32, end as u32))),
        rendered,
        created: UNIX_EPOCH
            .elapsed()
            .map_or(0, |now| u32::try_from(now.as_secs()).unwrap_or(u32::MAX)),
        birth,
        text: text.into_boxed_str(),
    }
}

impl<const N: usize> Family<Counter, N> {
    /// Adds one.
    pub fn inc(&self, labels: [&str; N]) {
        self.record(labels, Counter::inc);
    }

    /// Adds `n`. 0 only creates the series, so that `rate()` sees its first increase.
    pub fn add(&self, labels: [&str; N], n: u64) {
        self.record(labels, |counter| counter.add(n));
    }
}

impl<const N: usize> Family<Gauge, N> {
    /// Sets the value.
    pub fn set(&self, labels: [&str; N], value: f64) {
        self.record(labels, |gauge| gauge.set(value));
    }

    /// Marks the value as unknown.
    pub fn forget(&self, labels: [&str; N]) {
        self.record(labels, Gauge::forget);
    }
}

impl<const N: usize> Family<Histogram, N> {
    /// Records one duration.
    pub fn observe(&self, labels: [&str; N], duration: Duration) {
        self.record(labels, |histogram| histogram.observe(duration));
    }
}

/// A family of any type, as the registry uses it.
pub(crate) trait Expose: Send + Sync {
    fn meta(&self) -> &'static Meta;
    fn expose(&self, encoder: &mut Encoder<'_>);
    fn visit(&self, scrape: Option<Scrape>, each: &mut Each<'_>);
}

impl<V: Value, const N: usize> Expose for Family<V, N> {
    fn meta(&self) -> &'static Meta {
        &self.0.desc.meta
    }

    fn expose(&self, encoder: &mut Encoder<'_>) {
        encoder.family(&self.0.desc.meta);
        let start = encoder.position();
        let mut edition = self.edition();
        let mut at = 0;
        loop {
            let index = self.read();
            if self.edition() != edition {
                // Series were removed and the others moved: start over.
                edition = self.edition();
                encoder.rewind(start);
                at = 0;
            }
            let chunk = index.series.iter().skip(at).take(EXPOSED_AT_ONCE);
            for series in chunk {
                let origin = Origin {
                    is_count: self.0.desc.meta.is_count(&series.labels()),
                    birth: &series.birth,
                    created: series.created,
                };
                encoder.series(series.rendered(), series.value.read().as_ref(), origin);
            }
            at += EXPOSED_AT_ONCE;
            if at >= index.series.len() {
                return;
            }
        }
    }

    fn visit(&self, scrape: Option<Scrape>, each: &mut Each<'_>) {
        // Holds each series, so that `each` can take its time without the lock.
        let series = self.read().series.clone();
        let mut visitor = Visitor::new(&self.0.desc.meta, each);
        if let Some((name, value)) = &self.0.scope {
            visitor = visitor.within((name, value));
        }
        for series in &series {
            let labels = series.labels();
            match (series.value.read(), scrape) {
                (Some(sample), scrape) => {
                    let is_new = |scrape: Scrape| series.birth.is_since(scrape.zero_since);
                    let is_new = self.0.desc.meta.is_count(&labels) && scrape.is_some_and(is_new);
                    visitor.series(&labels, &sample, is_new);
                }
                (None, Some(scrape)) => series.birth.not_before(scrape.epoch),
                (None, None) => {}
            }
        }
    }
}

/// How many series are written before the lock is released for threads that create one.
const EXPOSED_AT_ONCE: usize = 256;
