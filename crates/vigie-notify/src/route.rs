//! From labels to receivers: the routing tree with everything inherited.

use std::sync::Arc;

use vigie_promql::Labels;

use crate::Time;
use crate::config::{self, GroupBy};
use crate::matcher::Matchers;
use crate::millis;
use vigie_alerts::template::exec::quote;

/// The routing tree. Its nodes are numbered, parents before their children.
#[derive(Clone, Debug)]
pub struct Routes {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
struct Node {
    matchers: Matchers,
    continues: bool,
    children: Vec<usize>,
    options: Options,
}

/// The options of a route, inherited ones included.
#[derive(Clone, Debug)]
pub struct Options {
    /// The receiver's name.
    pub receiver: Arc<str>,
    /// The matchers on the way from the root, which begin the keys of its groups. Not always unique.
    pub key: Arc<str>,
    /// The labels that alerts are grouped by.
    pub group_by: GroupBy,
    /// The delay of a new group's first message, in milliseconds.
    pub group_wait: Time,
    /// The least time between two messages of a group, in milliseconds; above 0.
    pub group_interval: Time,
    /// The time after which a message of an unchanged group is repeated, in milliseconds; above 0.
    pub repeat_interval: Time,
    /// The time intervals during which the route is muted.
    pub mute_time_intervals: Vec<String>,
    /// The time intervals outside of which the route is muted, if there are any.
    pub active_time_intervals: Vec<String>,
}

impl Routes {
    /// The tree of a configuration.
    #[must_use]
    pub fn new(root: &config::Route) -> Self {
        let defaults = Options {
            receiver: "".into(),
            key: "".into(),
            group_by: GroupBy::Labels(Vec::new()),
            group_wait: 30_000,
            group_interval: 5 * 60_000,
            repeat_interval: 4 * 3_600_000,
            mute_time_intervals: Vec::new(),
            active_time_intervals: Vec::new(),
        };
        let mut routes = Self { nodes: Vec::new() };
        routes.add(root, &defaults, None);
        routes
    }

    fn add(&mut self, route: &config::Route, parent: &Options, key: Option<&str>) -> usize {
        let key = match key {
            Some(above) => format!("{above}/{}", route.matchers),
            None => route.matchers.to_string(),
        };
        let receiver = route.receiver.as_deref().map(Arc::from);
        let or = |given: Option<_>, inherited| given.map_or(inherited, millis);
        let options = Options {
            receiver: receiver.unwrap_or_else(|| Arc::clone(&parent.receiver)),
            key: Arc::from(&*key),
            group_by: route
                .group_by
                .clone()
                .unwrap_or_else(|| parent.group_by.clone()),
            group_wait: or(route.group_wait, parent.group_wait),
            group_interval: or(route.group_interval, parent.group_interval),
            repeat_interval: or(route.repeat_interval, parent.repeat_interval),
            // These two are not inherited.
            mute_time_intervals: route.mute_time_intervals.clone(),
            active_time_intervals: route.active_time_intervals.clone(),
        };
        let number = self.nodes.len();
        self.nodes.push(Node {
            matchers: route.matchers.clone(),
            continues: route.continues,
            children: Vec::new(),
            options: options.clone(),
        });
        for child in &route.routes {
            let child = self.add(child, &options, Some(&key));
            self.nodes[number].children.push(child);
        }
        number
    }

    /// Adds a route to a receiver that no alert takes by its labels, with the intervals of the root.
    pub(crate) fn add_detached(&mut self, receiver: &str, key: &str) -> usize {
        let root = &self.nodes[0].options;
        let options = Options {
            receiver: Arc::from(receiver),
            key: Arc::from(key),
            group_by: GroupBy::Labels(Vec::new()),
            group_wait: 0,
            mute_time_intervals: Vec::new(),
            active_time_intervals: Vec::new(),
            ..root.clone()
        };
        self.nodes.push(Node {
            matchers: Matchers::new(Vec::new()),
            continues: false,
            children: Vec::new(),
            options,
        });
        self.nodes.len() - 1
    }

    /// The routes that match an alert with these labels, in the order of the tree; at least one.
    #[must_use]
    pub fn find(&self, labels: &Labels) -> Vec<usize> {
        let mut found = Vec::new();
        self.walk(0, labels, &mut found);
        found
    }

    /// Whether the route matches the alert.
    fn walk(&self, number: usize, labels: &Labels, found: &mut Vec<usize>) -> bool {
        let node = &self.nodes[number];
        if !node.matchers.matches(labels) {
            return false;
        }
        let before = found.len();
        for child in &node.children {
            if self.walk(*child, labels, found) && !self.nodes[*child].continues {
                break;
            }
        }
        if found.len() == before {
            found.push(number);
        }
        true
    }

    /// The number of routes; they are numbered from 0.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The options of a route.
    #[must_use]
    pub fn options(&self, route: usize) -> &Options {
        &self.nodes[route].options
    }
}

impl Options {
    /// The labels of the group that an alert with these labels belongs to.
    #[must_use]
    pub fn group(&self, labels: &Labels) -> Labels {
        match &self.group_by {
            GroupBy::All => labels.clone(),
            GroupBy::Labels(names) => labels.filter(|name| names.iter().any(|known| known == name)),
        }
    }

    /// The key of a group, as Alertmanager writes it.
    #[must_use]
    pub fn group_key(&self, group: &Labels) -> String {
        let labels = group.iter();
        let labels = labels.map(|(name, value)| format!("{name}={}", quote(value)));
        let labels: Vec<_> = labels.collect();
        format!("{}:{{{}}}", self.key, labels.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        let text = "
route:
  receiver: a
  group_by: [alertname]
  repeat_interval: 1h
  routes:
    - matchers: [team = web]
      receiver: b
      continue: true
      group_wait: 0s
      mute_time_intervals: [t]
      routes:
        - matchers: ['queue =~ \"m.*\"', severity != info]
          group_by: ['...']
        - matchers: [queue = never]
    - matchers: [severity = critical]
      receiver: c
      group_by: []
receivers: [{name: a}, {name: b}, {name: c}]
time_intervals: [{name: t}]
";
        let config = config::load(text).unwrap_or_else(|problems| panic!("{problems}"));
        Routes::new(&config.route)
    }

    #[test]
    fn alerts_find_their_groups() {
        let routes = routes();
        for (labels, groups) in [
            (
                &[("alertname", "A")][..],
                &[("a", r#"{}:{alertname="A"}"#)][..],
            ),
            (
                &[
                    ("alertname", "A"),
                    ("team", "web"),
                    ("severity", "critical"),
                ],
                &[
                    ("b", r#"{}/{team="web"}:{alertname="A"}"#),
                    ("c", r#"{}/{severity="critical"}:{}"#),
                ],
            ),
            (
                &[("queue", "mail"), ("team", "web")],
                &[(
                    "b",
                    r#"{}/{team="web"}/{queue=~"m.*",severity!="info"}:{queue="mail", team="web"}"#,
                )],
            ),
        ] {
            let labels = Labels::new(labels.iter().copied());
            let found = routes.find(&labels).into_iter().map(|route| {
                let options = routes.options(route);
                let key = options.group_key(&options.group(&labels));
                (options.receiver.to_string(), key)
            });
            let groups = groups.iter();
            let groups = groups.map(|(receiver, key)| ((*receiver).to_owned(), (*key).to_owned()));
            assert_eq!(found.collect::<Vec<_>>(), groups.collect::<Vec<_>>());
        }
    }

    #[test]
    fn options_are_inherited() {
        let routes = routes();
        let deep = Labels::new([("queue", "mail"), ("team", "web")]);
        let deep = routes.options(routes.find(&deep)[0]);
        assert_eq!(&*deep.receiver, "b");
        assert_eq!(deep.group_wait, 0);
        assert_eq!(deep.group_interval, 300_000);
        assert_eq!(deep.repeat_interval, 3_600_000);
        // Alertmanager does not inherit these.
        assert!(deep.mute_time_intervals.is_empty());
        let web = Labels::new([("team", "web")]);
        let web = routes.options(routes.find(&web)[0]);
        assert_eq!(web.mute_time_intervals, ["t"]);
    }
}
