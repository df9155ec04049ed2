//! The portable roaring format, 32-bit and 64-bit (github.com/RoaringBitmap/RoaringFormatSpec).

use alloc::vec::Vec;

use super::container::{Container, MOST_VALUES, WORDS_BYTES, empty};
use super::error::Malformed;
use super::reader::Reader;
use super::{BLOCK_CHUNKS, length};

type Chunks = [(u128, Container)];

/// Writes chunks of one 2^32-block; of their keys the low 16 bits count.
pub(super) fn write_bitmap(bytes: &mut Vec<u8>, chunks: &Chunks) {
    let start = bytes.len();
    let has_runs = chunks.iter().any(|(_, container)| container.is_runs());
    if has_runs {
        let count = u32::try_from(chunks.len() - 1).expect("a block has 65,536 chunks");
        bytes.extend_from_slice(&(WITH_RUNS | count << 16).to_le_bytes());
        for eight in chunks.chunks(8) {
            let flags = eight
                .iter()
                .rev()
                .map(|(_, container)| u8::from(container.is_runs()));
            bytes.push(flags.fold(0, |byte, flag| byte << 1 | flag));
        }
    } else {
        bytes.extend_from_slice(&WITHOUT_RUNS.to_le_bytes());
        bytes.extend_from_slice(&length(chunks.len()));
    }
    for (key, container) in chunks {
        bytes.extend_from_slice(&low_key(*key).to_le_bytes());
        let beyond_first = u16::try_from(container.len() - 1).expect("1 to 65,536 values");
        bytes.extend_from_slice(&beyond_first.to_le_bytes());
    }
    if !has_runs || chunks.len() >= OFFSETS_FROM {
        let mut offset = bytes.len() - start + 4 * chunks.len();
        for (_, container) in chunks {
            bytes.extend_from_slice(&length(offset));
            offset += container.byte_len();
        }
    }
    for (_, container) in chunks {
        container.write(bytes);
    }
}

/// Reads a 32-bit bitmap; `upper` are the key bits above the 16 of the format.
pub(super) fn read_bitmap(
    reader: &mut Reader<'_>,
    upper: u128,
    chunks: &mut Vec<(u128, Container)>,
) -> Result<(), Malformed> {
    let start = reader.len();
    let cookie = reader.u32()?;
    let (count, run_flags) = match cookie {
        WITHOUT_RUNS => (reader.u32()?, None),
        _ if cookie & 0xffff == WITH_RUNS => {
            let count = (cookie >> 16) + 1;
            (count, Some(reader.bytes(count.div_ceil(8) as usize)?))
        }
        _ => return Err(Malformed::UnknownCookie { cookie }),
    };
    if count > 1 << BLOCK_CHUNKS {
        return Err(Malformed::TooManyContainers { containers: count });
    }
    let count = count as usize;
    // Reading the headers first proves that the input is at least as long as what is reserved.
    let mut headers = Reader::new(reader.bytes(4 * count)?);
    let mut offsets = match run_flags {
        Some(_) if count < OFFSETS_FROM => None,
        _ => Some(Reader::new(reader.bytes(4 * count)?)),
    };
    chunks.reserve(count);
    let mut previous = None;
    for at in 0..count {
        let key = headers.u16()?;
        if previous.is_some_and(|previous| key <= previous) {
            return Err(Malformed::KeysOutOfOrder);
        }
        previous = Some(key);
        let len = usize::from(headers.u16()?) + 1;
        if let Some(offsets) = &mut offsets
            && offsets.u32()? as usize != start - reader.len()
        {
            return Err(Malformed::WrongOffset);
        }
        let flags = run_flags
            .and_then(|flags| flags.get(at / 8))
            .copied()
            .unwrap_or(0);
        let container = if flags & 1 << (at % 8) != 0 {
            read_runs(reader, len)?
        } else if len <= MOST_VALUES {
            read_array(reader, len)?
        } else {
            read_words(reader, len)?
        };
        chunks.push((upper << BLOCK_CHUNKS | u128::from(key), container));
    }
    Ok(())
}

/// Writes chunks of one upper half as a 64-bit bitmap.
pub(super) fn write_treemap(bytes: &mut Vec<u8>, chunks: &Chunks) {
    let blocks = || chunks.chunk_by(|(a, _), (b, _)| a >> BLOCK_CHUNKS == b >> BLOCK_CHUNKS);
    bytes.extend_from_slice(&(blocks().count() as u64).to_le_bytes());
    for block in blocks() {
        let key = block
            .first()
            .map_or(0, |(key, _)| (key >> BLOCK_CHUNKS) & u128::from(u32::MAX));
        let key = u32::try_from(key).expect("masked to 32 bits");
        bytes.extend_from_slice(&key.to_le_bytes());
        write_bitmap(bytes, block);
    }
}

/// Reads a 64-bit bitmap of the lower halves under `upper`.
pub(super) fn read_treemap(
    reader: &mut Reader<'_>,
    upper: u64,
    chunks: &mut Vec<(u128, Container)>,
) -> Result<(), Malformed> {
    let mut previous = None;
    for _ in 0..reader.u64()? {
        let key = reader.u32()?;
        if previous.is_some_and(|previous| key <= previous) {
            return Err(Malformed::KeysOutOfOrder);
        }
        previous = Some(key);
        read_bitmap(reader, u128::from(upper) << 32 | u128::from(key), chunks)?;
    }
    Ok(())
}

fn read_array(reader: &mut Reader<'_>, len: usize) -> Result<Container, Malformed> {
    let bytes = reader.bytes(2 * len)?;
    let (pairs, _) = bytes.as_chunks::<2>();
    let values: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    if !values.is_sorted_by(|a, b| a < b) {
        return Err(Malformed::ValuesOutOfOrder);
    }
    Ok(Container::Array(values).canonical())
}

fn read_words(reader: &mut Reader<'_>, len: usize) -> Result<Container, Malformed> {
    let (eights, _) = reader.bytes(WORDS_BYTES)?.as_chunks::<8>();
    let mut words = empty();
    for (word, eight) in words.iter_mut().zip(eights) {
        *word = u64::from_le_bytes(*eight);
    }
    let container = Container::from_words(words).ok_or(Malformed::WrongCardinality)?;
    if container.len() != len as u64 {
        return Err(Malformed::WrongCardinality);
    }
    Ok(container)
}

fn read_runs(reader: &mut Reader<'_>, len: usize) -> Result<Container, Malformed> {
    let count = usize::from(reader.u16()?);
    let (fours, _) = reader.bytes(4 * count)?.as_chunks::<4>();
    let mut runs: Vec<(u16, u16)> = Vec::with_capacity(count);
    for four in fours {
        let mut run = Reader::new(four);
        let (first, beyond) = (run.u16()?, run.u16()?);
        let touches = runs
            .last()
            .is_some_and(|(_, end)| first <= end.saturating_add(1));
        match first.checked_add(beyond) {
            Some(last) if !touches => runs.push((first, last)),
            _ => return Err(Malformed::RunsOutOfOrder),
        }
    }
    let container = Container::Runs(runs);
    if container.len() != len as u64 {
        return Err(Malformed::WrongCardinality);
    }
    Ok(container.canonical())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low 16 bits are wanted"
)]
const fn low_key(key: u128) -> u16 {
    key as u16
}

/// The cookie of a bitmap without run containers; a count follows.
const WITHOUT_RUNS: u32 = 12_346;
/// The low half of the cookie of a bitmap with run containers; the high half is the count less one.
const WITH_RUNS: u32 = 12_347;
/// Bitmaps with runs have offsets from this many containers on; bitmaps without always.
const OFFSETS_FROM: usize = 4;
