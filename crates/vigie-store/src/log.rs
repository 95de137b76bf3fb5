//! Bounded logs of checksummed records.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::directory::set_aside;
use crate::error::{Error, Unusable};
use crate::file;
use crate::format::{self, FILE_HEAD, Kind, MAX_RECORD_BYTES, RECORD_HEAD, is_ours};

/// A log that is open for appending.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    kind: Kind,
    most: u64,
    bytes: u64,
    /// `None` after a failure: the end of the file is unknown. After a failed sync even earlier records may be lost, since the
    /// kernel drops the pages that it could not write.
    file: Option<File>,
}

/// An opened log, and its contents.
#[derive(Debug)]
pub struct Opened {
    /// The log.
    pub log: Log,
    /// Its records, oldest first.
    pub records: Vec<Vec<u8>>,
    /// The number of bytes at its end that were dropped: a record that a crash cut off.
    pub torn: usize,
    /// The damaged file, if it was renamed, with the reason. Its intact records were kept.
    pub set_aside: Option<(Unusable, PathBuf)>,
}

pub(crate) fn open(path: PathBuf, kind: Kind, most: u64) -> Result<Opened, Error> {
    let bytes = file::read(&path, most.saturating_add(1))?.unwrap_or_default();
    let mut log = Log {
        path,
        kind,
        most,
        bytes: 0,
        file: None,
    };
    if bytes.is_empty() {
        log.rewrite::<&[u8]>(&[])?;
        return Ok(Opened::new(log, Vec::new()));
    }
    let is_too_long = bytes.len() as u64 > most;
    let (records, why) = match format::read(&bytes, kind) {
        Err(Unusable::Foreign) => {
            let path = log.path;
            return Err(Error::Foreign { path });
        }
        Err(why) => (Vec::new(), why),
        Ok(contents) if contents.is_prefix && !is_too_long => {
            let records = contents.records.iter().map(|record| record.to_vec());
            let mut opened = Opened::new(log, records.collect());
            opened.log.resume(contents.end as u64)?;
            opened.torn = bytes.len() - contents.end;
            return Ok(opened);
        }
        Ok(contents) => {
            let found = bytes.len() as u64;
            let why = match is_too_long {
                true => Unusable::TooLong { found, most },
                false => Unusable::Damaged,
            };
            (contents.records, why)
        }
    };
    let aside = set_aside(&log.path, why)?;
    log.rewrite(&records)?;
    let records = records.into_iter().map(<[u8]>::to_vec).collect();
    let mut opened = Opened::new(log, records);
    opened.set_aside = Some((why, aside));
    Ok(opened)
}

impl Opened {
    fn new(log: Log, records: Vec<Vec<u8>>) -> Self {
        Self {
            log,
            records,
            torn: 0,
            set_aside: None,
        }
    }
}

impl Log {
    /// The bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it must be rewritten, because an earlier operation failed.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.file.is_none()
    }

    /// Appends a record. It is on disk when this returns.
    ///
    /// # Errors
    /// If there is no room for it, which changes nothing, or if it cannot be written: then the log must be rewritten.
    pub fn append(&mut self, record: &[u8]) -> Result<(), Error> {
        self.check(self.bytes, record)?;
        let Some(mut file) = self.file.take() else {
            let path = self.path.clone();
            return Err(Error::Broken { path });
        };
        let mut bytes = Vec::with_capacity(RECORD_HEAD + record.len());
        format::write(&mut bytes, record);
        let written = file.write_all(&bytes).and_then(|()| file.sync_data());
        written.map_err(Error::io(&self.path))?;
        self.bytes += bytes.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    /// Replaces all records. After a crash the log has either the old or the new ones.
    ///
    /// # Errors
    /// If there is no room for them or they cannot be written. The file then still has the old records.
    pub fn rewrite<R: AsRef<[u8]>>(&mut self, records: &[R]) -> Result<(), Error> {
        let mut length = FILE_HEAD as u64;
        for record in records {
            length = self.check(length, record.as_ref())?;
        }
        let (unfinished, file) = file::create(&self.path, is_ours)?;
        let failed = || Error::io(&unfinished);
        let mut to = BufWriter::new(file);
        to.write_all(&format::head(self.kind)).map_err(failed())?;
        let mut bytes = Vec::new();
        for record in records {
            bytes.clear();
            format::write(&mut bytes, record.as_ref());
            to.write_all(&bytes).map_err(failed())?;
        }
        let file = to
            .into_inner()
            .map_err(|error| failed()(error.into_error()))?;
        file.sync_all().map_err(failed())?;
        // The old file is no longer written to once it may have been replaced.
        self.file = None;
        file::finish(&self.path, is_ours, &unfinished)?;
        self.bytes = length;
        self.file = Some(file);
        Ok(())
    }

    /// Continues an existing file after its last intact record.
    fn resume(&mut self, end: u64) -> Result<(), Error> {
        let failed = || Error::io(&self.path);
        let file = OpenOptions::new().append(true).open(&self.path);
        let file = file.map_err(failed())?;
        let length = file.metadata().map_err(failed())?.len();
        if length > end {
            file.set_len(end).map_err(failed())?;
            file.sync_all().map_err(failed())?;
        }
        self.bytes = end;
        self.file = Some(file);
        Ok(())
    }

    /// The length of a file of `length` bytes after `record` is added.
    fn check(&self, length: u64, record: &[u8]) -> Result<u64, Error> {
        let found = length + (RECORD_HEAD + record.len()) as u64;
        let most = self.most;
        if record.len() > MAX_RECORD_BYTES || found > most {
            let path = self.path.clone();
            return Err(Error::TooLong { path, found, most });
        }
        Ok(found)
    }
}

#[cfg(test)]
impl Log {
    /// Writes to another file from now on.
    pub(crate) fn redirect(&mut self, file: File) {
        self.file = Some(file);
    }
}
