//! The bounds of what is learned.

/// The bounds of what is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Learned routes that have a label at the same time. 0 learns nothing.
    pub(crate) max_routes: usize,
    /// Answers before a route gets its label.
    pub(crate) promote_after: u32,
    /// Names under one node of the tree; with one more, they are considered the values of a parameter.
    pub(crate) max_children: usize,
    /// Segments of the longest path that is learned, at most 15 (so that a label has at most 512 bytes).
    pub(crate) max_depth: usize,
    /// Answers after which a name stays when its siblings turn out to be values.
    pub(crate) established: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_routes: 200,
            promote_after: 5,
            max_children: 30,
            max_depth: 12,
            established: 100,
        }
    }
}

impl Limits {
    /// With values that the tree can keep to.
    pub(super) fn sane(self) -> Self {
        Self {
            max_depth: self.max_depth.min(15),
            established: self.established.max(self.promote_after),
            ..self
        }
    }

    /// Nodes of the tree: the routes fill half of them at most, the other half is for paths without a label.
    pub(super) fn max_nodes(&self) -> usize {
        let routes = self.max_routes.saturating_mul(self.max_depth.max(1));
        routes.saturating_mul(2).saturating_add(1)
    }
}
