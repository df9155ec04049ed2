//! Puts octets into a buffer of the caller's, front to back.

/// The unwritten rest of a buffer.
///
/// ```
/// use openelb_announce::wire::Writer;
///
/// let mut buffer = [0xa5; 3];
/// let mut writer = Writer::new(&mut buffer);
/// writer.u16(0x0806)?;
/// assert!(writer.u16(1).is_err());
/// assert_eq!(buffer, [0x08, 0x06, 0xa5]);
/// # Ok::<(), openelb_announce::wire::NoRoom>(())
/// ```
#[derive(Debug)]
pub struct Writer<'a> {
    rest: &'a mut [u8],
}

impl<'a> Writer<'a> {
    /// Starts at the first octet of `buffer`.
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self { rest: buffer }
    }

    /// Puts one octet.
    pub fn u8(&mut self, value: u8) -> Result<(), NoRoom> {
        self.octets(&[value])
    }

    /// Puts a 16-bit number in network order.
    pub fn u16(&mut self, value: u16) -> Result<(), NoRoom> {
        self.octets(&value.to_be_bytes())
    }

    /// Puts a 32-bit number in network order.
    pub fn u32(&mut self, value: u32) -> Result<(), NoRoom> {
        self.octets(&value.to_be_bytes())
    }

    /// Puts all of `octets` or, when they do not fit, none.
    pub fn octets(&mut self, octets: &[u8]) -> Result<(), NoRoom> {
        self.reserve(octets.len())?.copy_from_slice(octets);
        Ok(())
    }

    /// Passes over the next `length` octets and hands them out, to be filled in later.
    pub fn reserve(&mut self, length: usize) -> Result<&'a mut [u8], NoRoom> {
        let missing = length.saturating_sub(self.rest.len());
        let rest = std::mem::take(&mut self.rest);
        if missing > 0 {
            self.rest = rest;
            return Err(NoRoom { missing });
        }
        let (reserved, rest) = rest.split_at_mut(length);
        self.rest = rest;
        Ok(reserved)
    }
}

/// The buffer is too small. Every encoder says beforehand how much room it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the buffer lacks {missing} octets")]
pub struct NoRoom {
    /// How many more octets the buffer should have had.
    pub missing: usize,
}

#[cfg(test)]
mod tests;
