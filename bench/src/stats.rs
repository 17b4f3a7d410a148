//! Medians and quartiles of a few numbers.

use serde::Serialize;

/// The middle of several rounds, and how far they spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) lower: f64,
    pub(crate) median: f64,
    pub(crate) upper: f64,
    pub(crate) rounds: usize,
}

impl Spread {
    /// Of these numbers; none without any.
    pub(crate) fn of(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> =
            numbers.into_iter().filter(|number| number.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            lower: quartile(&sorted, 1)?,
            median: quartile(&sorted, 2)?,
            upper: quartile(&sorted, 3)?,
            rounds: sorted.len(),
        })
    }
}

/// After so many quarters of them; between two neighbours it lies where the share says.
fn quartile(sorted: &[f64], quarters: u32) -> Option<f64> {
    let last = u32::try_from(sorted.len().checked_sub(1)?).ok()?;
    let place = quarters * last;
    let at = |place: u32| sorted.get(usize::try_from(place).ok()?);
    let (below, above) = (at(place / 4)?, at(place.div_ceil(4))?);
    Some(below + (above - below) * f64::from(place % 4) / 4.0)
}

/// The number as one that can be divided.
#[expect(
    clippy::cast_precision_loss,
    reason = "nothing here is counted to 2^52, nor has so many digits that are true"
)]
pub(crate) fn real(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_of_a_few() {
        let spread = |numbers: &[f64]| {
            let spread = Spread::of(numbers.iter().copied())?;
            Some((spread.lower, spread.median, spread.upper))
        };
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[f64::NAN]), None);
        assert_eq!(spread(&[7.0]), Some((7.0, 7.0, 7.0)));
        assert_eq!(spread(&[5.0, 1.0, 3.0, 2.0, 4.0]), Some((2.0, 3.0, 4.0)));
        assert_eq!(spread(&[1.0, 2.0]), Some((1.25, 1.5, 1.75)));
    }
}
