//! The AV1 dependency descriptor: which layer a frame is of, and which frames it needs (AV1 RTP payload format, appendix A).

use std::sync::Arc;

use str0m::rtp::{Extension, ExtensionSerializer, ExtensionValues};

const URI: &str = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";
/// Longer descriptors are not read: a structure of nine layers has about a hundred bytes.
const LENGTH: usize = 255;
/// Templates of one structure: an id has six bits.
const TEMPLATES: usize = 64;
/// Frames that one frame may refer to. The format has no limit; encoders use at most eight.
const REFERENCES: usize = 16;
/// The longest descriptor that fits the one-byte form of header extensions (RFC 8285 §4.2).
const ONE_BYTE_FORM: usize = 16;

/// The bytes of a descriptor as they came, or as they are to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raw(pub(crate) Box<[u8]>);

/// What one descriptor says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Whether this packet is the frame's first, and whether it is its last.
    pub(crate) starts: bool,
    pub(crate) ends: bool,
    /// The frame's number, modulo 65 536.
    pub(crate) number: u16,
    pub(crate) spatial: u8,
    pub(crate) temporal: u8,
    /// How many numbers before it the frames lie that it is predicted from.
    pub(crate) references: Vec<u16>,
    /// The structure that holds from this frame on, where one came with it.
    pub(crate) attached: Option<Arc<Structure>>,
    /// The decode targets that the encoder feeds, one bit each.
    pub(crate) active: Option<u32>,
    /// Two bits for each decode target.
    indications: u64,
}

/// What a frame is to those who decode one target (§A.8.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Indication {
    NotPresent,
    Discardable,
    /// Whoever can decode this frame can decode all later ones of the target.
    Switch,
    Required,
}

/// What all frames until the next keyframe have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Structure {
    first_template: u8,
    templates: Vec<Template>,
    /// The highest spatial and temporal layer of each decode target.
    pub(crate) targets: Vec<(u8, u8)>,
    chains: u32,
    /// The height of each spatial layer, where said.
    pub(crate) heights: Vec<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Template {
    spatial: u8,
    temporal: u8,
    indications: u64,
    references: Vec<u16>,
}

/// The header extension for the engine: bytes in, bytes out.
#[derive(Debug)]
struct Serializer;

/// The extension to negotiate.
pub(crate) fn extension() -> Extension {
    Extension::with_serializer(URI, Serializer)
}

impl ExtensionSerializer for Serializer {
    fn write_to(&self, buffer: &mut [u8], values: &ExtensionValues) -> usize {
        let Some(Raw(bytes)) = values.user_values.get() else { return 0 };
        let Some(place) = buffer.get_mut(..bytes.len()) else { return 0 };
        place.copy_from_slice(bytes);
        bytes.len()
    }

    fn parse_value(&self, bytes: &[u8], values: &mut ExtensionValues) -> bool {
        let fits = (3..=LENGTH).contains(&bytes.len());
        if fits {
            values.user_values.set(Raw(bytes.into()));
        }
        fits
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        false
    }

    fn requires_two_byte_form(&self, values: &ExtensionValues) -> bool {
        values.user_values.get::<Raw>().is_some_and(|Raw(bytes)| bytes.len() > ONE_BYTE_FORM)
    }
}

impl Raw {
    /// The same with another frame number, which stands behind the first byte.
    pub(crate) fn with_number(&self, number: u16) -> Self {
        let mut bytes = self.0.clone();
        if let Some(place) = bytes.get_mut(1..3) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        Self(bytes)
    }

    /// Reads a descriptor. `None`: it is broken, or it needs a structure that is not known.
    ///
    /// ```text
    ///  start  end  template(6)  number(16)          always
    ///  structure? active? dtis? fdiffs? chains?     where there are more than three bytes
    ///  [structure] [active targets] [indications] [references] [chains]
    /// ```
    pub(crate) fn parse(&self, known: Option<&Arc<Structure>>) -> Option<Frame> {
        let mut bits = Bits { bytes: &self.0, at: 0 };
        let (starts, ends) = (bits.flag()?, bits.flag()?);
        let (template, number) = (bits.take(6)? as u8, bits.take(16)? as u16);
        let mut flags = [false; 5];
        if self.0.len() > 3 {
            for flag in &mut flags {
                *flag = bits.flag()?;
            }
        }
        let [has_structure, has_active, has_indications, has_references, has_chains] = flags;
        let attached = if has_structure { Some(Arc::new(Structure::parse(&mut bits)?)) } else { None };
        let structure = attached.as_ref().or(known)?;
        let targets = structure.targets.len() as u32;
        let active = if has_active { Some(bits.take(targets)?) } else { None };
        let template = structure.templates.get(usize::from(template.wrapping_sub(structure.first_template) & 63))?;
        let indications = if has_indications { bits.indications(targets)? } else { template.indications };
        let references = if has_references { bits.references()? } else { template.references.clone() };
        if has_chains {
            // A frame is forwarded or not by its indications; chains tell receivers what they lost.
            (0..structure.chains).try_for_each(|_| bits.take(8).map(|_| ()))?;
        }
        let (spatial, temporal) = (template.spatial, template.temporal);
        Some(Frame { starts, ends, number, spatial, temporal, references, attached, active, indications })
    }
}

impl Frame {
    /// What this frame is to a decode target.
    pub(crate) fn indication(&self, target: usize) -> Indication {
        match self.indications.checked_shr(2 * target as u32).unwrap_or(0) & 3 {
            0 => Indication::NotPresent,
            1 => Indication::Discardable,
            2 => Indication::Switch,
            _ => Indication::Required,
        }
    }

    /// Whether a decoder that knows nothing can begin here.
    pub(crate) fn is_keyframe(&self) -> bool {
        self.starts && self.attached.is_some() && self.references.is_empty()
    }
}

impl Structure {
    /// The decode target of these layers, or the best one below.
    pub(crate) fn target(&self, spatial: u8, temporal: u8) -> usize {
        let fits = |(_, (s, t)): &(usize, &(u8, u8))| *s <= spatial && *t <= temporal;
        self.targets.iter().enumerate().filter(fits).max_by_key(|(_, layers)| **layers).map_or(0, |(index, _)| index)
    }

    fn parse(bits: &mut Bits<'_>) -> Option<Self> {
        let first_template = bits.take(6)? as u8;
        let count = bits.take(5)? + 1;
        let mut templates = Template::layers(bits)?;
        for template in &mut templates {
            template.indications = bits.indications(count)?;
        }
        for template in &mut templates {
            while bits.flag()? {
                template.references.push(bits.take(4)? as u16 + 1);
                if template.references.len() > REFERENCES {
                    return None;
                }
            }
        }
        let chains = bits.non_symmetric(count + 1)?;
        if chains > 0 {
            (0..count).try_for_each(|_| bits.non_symmetric(chains).map(|_| ()))?;
            (0..templates.len() as u32 * chains).try_for_each(|_| bits.take(4).map(|_| ()))?;
        }
        let layers = templates.iter().map(|template| template.spatial).max()? + 1;
        let mut heights = Vec::new();
        if bits.flag()? {
            for _ in 0..layers {
                bits.take(16)?;
                heights.push((bits.take(16)? as u16).saturating_add(1));
            }
        }
        let present = |template: &&Template, target: u32| template.indications >> (2 * target) & 3 != 0;
        let highest = |target| {
            let of_it = || templates.iter().filter(move |template| present(template, target));
            let spatial = of_it().map(|template| template.spatial).max().unwrap_or(0);
            (spatial, of_it().map(|template| template.temporal).max().unwrap_or(0))
        };
        let targets = (0..count).map(highest).collect();
        Some(Self { first_template, templates, targets, chains, heights })
    }
}

impl Template {
    /// The layers of all templates: each tells where the next one lies.
    fn layers(bits: &mut Bits<'_>) -> Option<Vec<Self>> {
        let (mut spatial, mut temporal) = (0, 0);
        let mut templates = Vec::new();
        while templates.len() < TEMPLATES {
            templates.push(Self { spatial, temporal, indications: 0, references: Vec::new() });
            match bits.take(2)? {
                0 => {}
                1 => temporal += 1,
                2 => (spatial, temporal) = (spatial + 1, 0),
                _ => return Some(templates),
            }
            if spatial > 3 || temporal > 7 {
                return None;
            }
        }
        None
    }
}

/// Reads bits, most significant first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }

    /// A number below `bound` in as few bits as possible (§A.8.2, `ns(n)`).
    fn non_symmetric(&mut self, bound: u32) -> Option<u32> {
        let width = u32::BITS - bound.leading_zeros();
        let short = (1 << width) - bound;
        let value = self.take(width - 1)?;
        if value < short { Some(value) } else { Some((value << 1) - short + self.take(1)?) }
    }

    fn indications(&mut self, targets: u32) -> Option<u64> {
        (0..targets).try_fold(0, |all, target| Some(all | u64::from(self.take(2)?) << (2 * target)))
    }

    /// Each reference says first how many nibbles it has; none ends the list.
    fn references(&mut self) -> Option<Vec<u16>> {
        let mut references = Vec::new();
        loop {
            let nibbles = self.take(2)?;
            if nibbles == 0 {
                return Some(references);
            }
            references.push(self.take(4 * nibbles)? as u16 + 1);
            if references.len() > REFERENCES {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
