//! Tests of the writer.

use super::{NoRoom, Writer};

#[test]
fn fields_are_put_in_order_and_in_network_order() {
    let mut buffer = [0xa5; 8];
    let mut writer = Writer::new(&mut buffer);
    writer.u8(1).unwrap();
    writer.u16(0x0203).unwrap();
    writer.u32(0x0405_0607).unwrap();
    assert_eq!(buffer, [1, 2, 3, 4, 5, 6, 7, 0xa5]);
}

#[test]
fn a_field_that_does_not_fit_leaves_the_buffer_as_it_was() {
    let mut buffer = [0xa5; 3];
    let mut writer = Writer::new(&mut buffer);
    assert_eq!(writer.u32(0), Err(NoRoom { missing: 1 }));
    assert_eq!(writer.u16(0), Ok(()));
    assert_eq!(buffer, [0, 0, 0xa5]);
}

#[test]
fn reserved_octets_can_be_filled_in_after_later_ones() {
    let mut buffer = [0xa5; 3];
    let mut writer = Writer::new(&mut buffer);
    let reserved = writer.reserve(2).unwrap();
    writer.u8(3).unwrap();
    reserved.copy_from_slice(&[1, 2]);
    assert_eq!(buffer, [1, 2, 3]);
}
