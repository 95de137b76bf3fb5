/// The bounds of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The bytes of a request head, and of the trailers of a request.
    pub request_head: usize,
    /// The bytes of a response head, and of the trailers of a response.
    pub response_head: usize,
    /// The fields of a request head, and of the trailers of a request.
    pub request_fields: usize,
    /// The fields of a response head, and of the trailers of a response.
    pub response_fields: usize,
    /// The requests without a complete response. Further ones are not read.
    pub pipeline: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_head: 64 * 1024,
            response_head: 256 * 1024,
            request_fields: 1_000,
            response_fields: 1_000,
            pipeline: 16,
        }
    }
}
