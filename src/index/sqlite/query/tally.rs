//! Figures by number of a row.

use std::collections::HashMap;

/// Figures by number: numbers of rows are small and dense most often, and to count half a million rows by hash is what counting would
/// take longest for.
#[derive(Default)]
pub(super) struct Tally<T> {
    small: Vec<T>,
    others: HashMap<i64, T>,
}

impl<T: Default + PartialEq> Tally<T> {
    /// Numbers below it have a place of their own.
    const SMALL: usize = 1 << 18;

    /// The figures of a number.
    pub(super) fn of(&mut self, number: i64) -> &mut T {
        match usize::try_from(number) {
            Ok(number) if number < Self::SMALL => {
                if number >= self.small.len() {
                    self.small.resize_with(number + 1, T::default);
                }
                // The place was made just now.
                &mut self.small[number]
            }
            _ => self.others.entry(number).or_default(),
        }
    }

    /// All figures that were touched, in no order.
    pub(super) fn into_figures(self) -> impl Iterator<Item = (i64, T)> {
        let nothing = T::default();
        (0..).zip(self.small).chain(self.others).filter(move |(_, figures)| *figures != nothing)
    }
}
