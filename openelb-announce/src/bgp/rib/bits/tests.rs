use super::Bits;
use proptest::prelude::*;
use std::collections::BTreeSet;

proptest! {
    #[test]
    fn a_bitmap_is_a_set_of_slots(operations in prop::collection::vec((any::<bool>(), 0..400_u32), 0..200)) {
        let mut bits = Bits::default();
        let mut model = BTreeSet::new();
        for (insert, slot) in operations {
            if insert {
                prop_assert_eq!(bits.insert(slot), model.insert(slot));
            } else {
                prop_assert_eq!(bits.remove(slot), model.remove(&slot));
            }
        }
        for slot in 0..450 {
            prop_assert_eq!(bits.contains(slot), model.contains(&slot));
            prop_assert_eq!(bits.next(slot), model.range(slot..).next().copied());
        }
    }
}

#[test]
fn an_empty_bitmap_has_no_bit_and_no_memory() {
    let bits = Bits::default();
    assert_eq!(
        (bits.next(0), bits.contains(u32::MAX), bits.octets()),
        (None, false, 0)
    );
}
