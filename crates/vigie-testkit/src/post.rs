//! Reads POST requests, for the servers that receive messages.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

/// The largest head.
const HEAD: u64 = 16 << 10;

/// A POST request.
pub(crate) struct Post {
    /// The path, with the query.
    pub(crate) path: String,
    /// The headers, with names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// Reads a POST with a body of at most `most` bytes, or returns the mistake in the request.
pub(crate) async fn read(
    stream: &mut (impl AsyncBufRead + Unpin),
    most: usize,
) -> io::Result<Result<Post, String>> {
    let mut head = stream.take(HEAD);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if head.read_line(&mut line).await? == 0 {
            return Ok(Err(format!("the head ends after {:?}", lines.first())));
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut lines = lines.into_iter();
    let first = lines.next().unwrap_or_default();
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    let headers: Vec<_> = headers.collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok());
    let path = first.strip_prefix("POST ");
    let path = path.and_then(|rest| rest.split(' ').next());
    let (Some(path), Some(length)) = (path, length.filter(|length| *length <= most)) else {
        let mistake = format!("not a POST of a known and modest length: {first:?}, {length:?}");
        return Ok(Err(mistake));
    };
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Ok(Post {
        path: path.to_owned(),
        headers,
        body,
    }))
}
