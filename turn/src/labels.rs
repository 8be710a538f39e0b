//! Finite sets with names: what counters are kept by, and what they are exported under.

/// A finite set whose members have stable names, fit for the label values of a metric.
pub trait Label: Copy + 'static {
    /// Every member, in the order of [`Label::index`].
    const ALL: &'static [Self];

    /// The member's name: lower case, words joined by `_`, or a key of the operator's own.
    fn label(self) -> &'static str;

    /// The member's place in [`Label::ALL`].
    fn index(self) -> usize;
}

/// Implements [`Label`] for an enum without fields. The names are given in the order of its variants.
macro_rules! labels {
    ($type:ident { $($variant:ident => $label:literal),+ $(,)? }) => {
        impl crate::labels::Label for $type {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),+ }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

pub(crate) use labels;
