//! Random bytes and numbers.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

/// Random bytes of the system.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A random number from 0 to 1, for waits. It cannot fail, since the keys of hash maps are random already.
pub(crate) fn fraction() -> f64 {
    let number = RandomState::new().build_hasher().finish();
    number as f64 / u64::MAX as f64
}

/// A random identifier (RFC 9562, version 4).
pub(crate) fn uuid() -> Result<String, getrandom::Error> {
    let random = u128::from_be_bytes(bytes()?);
    let version = 0xffff_ffff_ffff_0fff_3fff_ffff_ffff_ffff;
    let id = random & version | 0x4000_8000_0000_0000_0000;
    let hex = format!("{id:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    Ok(parts.join("-"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn identifiers_have_the_form_of_version_4() {
        for _ in 0..100 {
            let id = super::uuid().unwrap();
            let parts: Vec<_> = id.split('-').collect();
            assert_eq!(
                parts.iter().map(|part| part.len()).collect::<Vec<_>>(),
                [8, 4, 4, 4, 12]
            );
            assert!(parts[2].starts_with('4'), "{id}");
            assert!(parts[3].starts_with(['8', '9', 'a', 'b']), "{id}");
        }
        assert_ne!(super::uuid().unwrap(), super::uuid().unwrap());
    }
}
