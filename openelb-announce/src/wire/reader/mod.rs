//! Takes octets off the front of a slice; the only way in which decoders touch outside bytes.

/// The unread rest of some octets. Every method takes from the front or says what is missing.
///
/// ```
/// use openelb_announce::wire::Reader;
///
/// let mut reader = Reader::new(&[0x08, 0x06, 0xff]);
/// assert_eq!(reader.u16(), Ok(0x0806));
/// assert!(reader.u16().is_err());
/// assert_eq!(reader.rest(), [0xff]);
/// ```
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first of `octets`.
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    /// Takes one octet.
    pub fn u8(&mut self) -> Result<u8, Truncated> {
        let [octet] = self.array()?;
        Ok(octet)
    }

    /// Takes a 16-bit number in network order.
    pub fn u16(&mut self) -> Result<u16, Truncated> {
        self.array().map(u16::from_be_bytes)
    }

    /// Takes a 32-bit number in network order.
    pub fn u32(&mut self) -> Result<u32, Truncated> {
        self.array().map(u32::from_be_bytes)
    }

    /// Takes exactly `N` octets.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let (taken, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| self.truncated(N))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Takes `length` octets without copying them.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Truncated> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| self.truncated(length))?;
        self.rest = rest;
        Ok(taken)
    }

    /// What has not been taken.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn truncated(&self, needed: usize) -> Truncated {
        Truncated {
            missing: needed.saturating_sub(self.rest.len()),
        }
    }
}

/// The octets end before the field does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cut short: {missing} more octets expected")]
pub struct Truncated {
    /// How many octets the field lacks.
    pub missing: usize,
}

#[cfg(test)]
mod tests;
