//! How large the parts are: pure arithmetic.

use crate::store::SizeHint;

const MIB: u64 = 1 << 20;

/// S3's own limit; some providers stop at 1,000.
const PARTS_MAX: u64 = 10_000;

/// Parts that a hint may plan for: what is above is left for the case that the hint was too low.
const PARTS_PLANNED: u64 = 8_000;

/// The smallest part. S3 wants 5 MiB except for the last.
const PART_MIN: u64 = 8 * MIB;

/// Up to this size parts grow so that 1,000 of them are enough; beyond it memory counts more.
const PART_EASY: u64 = 16 * MIB;

/// S3's own limit.
const PART_MAX: u64 = 5 * 1024 * MIB;

/// What the parts in flight and the one being filled may take together. Two parts are always needed, so parts above
/// 32 MiB, which begin at an expected 200 GiB, take twice their size.
const MEMORY: u64 = 64 * MIB;

/// More parts at once than this bring nothing on one connection each.
const IN_FLIGHT_MAX: u64 = 4;

/// The sizes of one upload's parts.
///
/// All parts are equal (Cloudflare R2 wants that). Only when the object grows beyond what was planned for do the sizes
/// double, every 500 parts: an upload that S3 itself would take must not die at the end because a guess was low.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    bytes: u64,
}

impl Parts {
    pub(super) fn plan(hint: SizeHint, fixed: Option<u64>) -> Self {
        if let Some(bytes) = fixed {
            return Self { bytes: bytes.clamp(5 * MIB, PART_MAX) };
        }
        // a quarter more than expected; a piece that is not known gets parts for 125 GiB
        let bytes = match hint.expected {
            None => PART_EASY,
            Some(expected) => {
                let expected = expected.saturating_add(expected / 4);
                let comfortable = expected.div_ceil(1_000).clamp(PART_MIN, PART_EASY);
                comfortable.max(expected.div_ceil(PARTS_PLANNED)).min(PART_MAX)
            }
        };
        Self { bytes: bytes.next_multiple_of(MIB) }
    }

    /// The size of part `number`, from 1.
    pub(super) fn size(self, number: u64) -> u64 {
        let doublings = number.saturating_sub(PARTS_PLANNED).div_ceil(500);
        let factor = 1_u64 << doublings.min(20);
        self.bytes.saturating_mul(factor).min(PART_MAX)
    }

    /// How many parts may be on their way while the next is filled.
    pub(super) fn in_flight(self, number: u64) -> usize {
        let fitting = (MEMORY / self.size(number)).saturating_sub(1);
        usize::try_from(fitting.clamp(1, IN_FLIGHT_MAX)).unwrap_or(1)
    }

    /// Whether S3 takes a part of this number.
    pub(super) fn allows(self, number: u64) -> bool {
        number <= PARTS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1024 * MIB;

    fn parts(expected: u64) -> Parts {
        Parts::plan(SizeHint::about(expected), None)
    }

    #[test]
    fn small_and_unknown_objects_have_small_parts() {
        assert_eq!(parts(0).size(1), 8 * MIB);
        assert_eq!(parts(5 * GIB).size(1), 8 * MIB);
        assert_eq!(parts(10 * GIB).size(1), 13 * MIB);
        assert_eq!(Parts::plan(SizeHint::unknown(), None).size(1), 16 * MIB);
    }

    #[test]
    fn what_is_expected_fits_and_a_quarter_more() {
        for expected in [GIB, 100 * GIB, 1024 * GIB, 5 * 1024 * GIB] {
            let planned = parts(expected);
            assert!(planned.size(1) * PARTS_PLANNED >= expected + expected / 4, "{expected}");
            assert_eq!(planned.size(1), planned.size(PARTS_PLANNED), "equal as long as the plan holds");
        }
    }

    #[test]
    fn an_object_of_twice_the_expected_size_still_fits() {
        for hint in [SizeHint::unknown(), SizeHint::about(100 * GIB)] {
            let planned = Parts::plan(hint, None);
            let total: u64 = (1..=PARTS_MAX).map(|number| planned.size(number)).sum();
            assert!(total > 2 * 125 * GIB, "{total}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        for expected in [0, 10 * GIB, 100 * GIB, 150 * GIB] {
            let planned = parts(expected);
            assert!((planned.in_flight(1) as u64 + 1) * planned.size(1) <= MEMORY, "{expected}");
        }
        assert_eq!(parts(5 * 1024 * GIB).in_flight(1), 1);
    }

    #[test]
    fn a_size_that_the_user_gives_is_kept() {
        let planned = Parts::plan(SizeHint::about(1024 * GIB), Some(6 * MIB));
        assert_eq!(planned.size(1), 6 * MIB);
        assert!(!planned.allows(10_001));
    }
}
