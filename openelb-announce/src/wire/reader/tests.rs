//! Tests of the reader.

use super::{Reader, Truncated};

#[test]
fn fields_are_taken_in_order_and_in_network_order() {
    let mut reader = Reader::new(&[1, 0x02, 0x03, 4, 5, 6, 7, 8, 9]);
    assert_eq!(reader.u8(), Ok(1));
    assert_eq!(reader.u16(), Ok(0x0203));
    assert_eq!(reader.u32(), Ok(0x0405_0607));
    assert_eq!(reader.take(1), Ok(&[8][..]));
    assert_eq!(reader.array(), Ok([9]));
    assert!(reader.rest().is_empty());
}

#[test]
fn a_field_that_is_cut_short_takes_nothing_and_says_what_is_missing() {
    let mut reader = Reader::new(&[1]);
    assert_eq!(reader.u32(), Err(Truncated { missing: 3 }));
    assert_eq!(
        reader.take(usize::MAX),
        Err(Truncated {
            missing: usize::MAX - 1
        })
    );
    assert_eq!(reader.rest(), [1]);
}
