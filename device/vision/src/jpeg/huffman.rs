//! Huffman codes and the bits that they are made of (ITU-T T.81, annexes C and F.2.2).

/// Codes of up to this many bits are looked up at once; longer ones are rare.
const FAST: u32 = 10;

/// Symbols by the lengths of their codes: how many have 1, 2 ... 16 bits, and which they are, in the order of the codes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Code<'a> {
    pub(super) counts: [u8; 16],
    pub(super) values: &'a [u8],
}

/// What begins with some bits.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// The coefficient, where the bits hold all of it; 0 where they hold a symbol alone.
    value: i16,
    /// The zeros before that coefficient, or the symbol.
    symbol: u8,
    /// How many of the bits it takes; 0 where the code is longer.
    length: u8,
}

/// A Huffman code made ready.
#[derive(Debug)]
pub(super) struct Table {
    counts: [u8; 16],
    values: [u8; 256],
    fast: Box<[Entry; 1 << FAST]>,
    /// For each length: the first code that is longer, and where the values of those of this length begin, less the first of
    /// them.
    limits: [u32; 17],
    offsets: [i32; 17],
}

impl Default for Table {
    fn default() -> Self {
        Self {
            counts: [0; 16],
            values: [0; 256],
            fast: Box::new([Entry::default(); 1 << FAST]),
            limits: [0; 17],
            offsets: [0; 17],
        }
    }
}

impl Table {
    /// Takes a code; one that it has already costs nothing. `None` where these lengths make no code. In the code of
    /// coefficients a symbol is a run of zeros and the size of what comes after it.
    pub(super) fn set(&mut self, code: &Code<'_>, of_coefficients: bool) -> Option<()> {
        if code.counts == self.counts && self.values.starts_with(code.values) {
            return Some(());
        }
        self.counts = [0; 16];
        self.values.get_mut(..code.values.len())?.copy_from_slice(code.values);
        self.fast.fill(Entry::default());
        let (mut next, mut index) = (0_u32, 0_usize);
        for (length, count) in (1_u32..).zip(code.counts) {
            self.offsets[length as usize] = index as i32 - next as i32;
            for symbol in code.values.get(index..index + usize::from(count))? {
                if length <= FAST {
                    self.fill(next, length, *symbol, of_coefficients)?;
                }
                next += 1;
            }
            index += usize::from(count);
            if next > 1 << length {
                return None;
            }
            self.limits[length as usize] = next;
            next <<= 1;
        }
        self.counts = code.counts;
        Some(())
    }

    /// Enters all that may begin with a code of `length` bits.
    fn fill(&mut self, code: u32, length: u32, symbol: u8, of_coefficients: bool) -> Option<()> {
        let free = FAST - length;
        let places = self.fast.get_mut((code << free) as usize..((code + 1) << free) as usize)?;
        let size = u32::from(symbol & 15);
        for (rest, entry) in places.iter_mut().enumerate() {
            *entry = if of_coefficients && size > 0 && size <= free {
                let value = extended(rest as u32 >> (free - size), size) as i16;
                Entry { value, symbol: symbol >> 4, length: (length + size) as u8 }
            } else {
                Entry { value: 0, symbol, length: length as u8 }
            };
        }
        Some(())
    }

    /// The next symbol, of a code that is not `of_coefficients`.
    #[inline]
    fn symbol(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let entry = self.fast[bits.peek(FAST) as usize];
        if entry.length > 0 {
            bits.skip(entry.length.into());
            return Some(entry.symbol);
        }
        let (symbol, length) = self.long_symbol(*bits)?;
        bits.skip(length);
        Some(symbol)
    }

    /// A symbol of a code that is longer than those that are looked up, and its length.
    #[cold]
    fn long_symbol(&self, bits: Bits<'_>) -> Option<(u8, u32)> {
        for length in FAST + 1..=16 {
            let code = bits.peek(length);
            if code < self.limits[length as usize] {
                let index = code as i32 + self.offsets[length as usize];
                return Some((*self.values.get(usize::try_from(index).ok()?)?, length));
            }
        }
        None
    }

    /// The difference of a block's mean from that of the one before. `None` where the bits are no code.
    #[inline]
    pub(super) fn difference(&self, bits: &mut Bits<'_>) -> Option<i32> {
        bits.refill();
        let size = u32::from(self.symbol(bits)?);
        (size <= 11).then(|| bits.number(size))
    }

    /// Hands on the place, in the zigzag order, and the value of each coefficient of a block but the mean. `None` where the
    /// bits are no code.
    #[inline]
    pub(super) fn coefficients(&self, bits: &mut Bits<'_>, mut put: impl FnMut(usize, i32)) -> Option<()> {
        let mut at = 1;
        while at < 64 {
            bits.refill();
            let Entry { value, symbol, length } = self.fast[bits.peek(FAST) as usize];
            if value != 0 {
                bits.skip(length.into());
                at += usize::from(symbol);
                if at > 63 {
                    return None;
                }
                put(at, value.into());
                at += 1;
                continue;
            }
            let (symbol, length) = if length > 0 { (symbol, length.into()) } else { self.long_symbol(*bits)? };
            bits.skip(length);
            match (usize::from(symbol >> 4), u32::from(symbol & 15)) {
                // Sixteen zeros, and the end of the block.
                (15, 0) => at += 16,
                (_, 0) => break,
                (zeros, size) => {
                    at += zeros;
                    if at > 63 {
                        return None;
                    }
                    put(at, bits.number(size));
                    at += 1;
                }
            }
        }
        Some(())
    }
}

/// A number of `size` bits, of which the lower half are those under zero.
const fn extended(bits: u32, size: u32) -> i32 {
    let is_negative = size > 0 && bits >> (size - 1) == 0;
    if is_negative { bits as i32 - (1 << size) + 1 } else { bits as i32 }
}

/// Bits, the highest of each byte first. Beyond the end they are zeros.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits<'a> {
    data: &'a [u8],
    /// The byte that comes into the window next.
    next: usize,
    /// The bits that come next, the first one highest.
    window: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    /// From a bit of the data on.
    pub(super) fn from(data: &'a [u8], position: usize) -> Self {
        let mut bits = Self { data, next: position / 8, window: 0, count: 0 };
        bits.refill();
        bits.skip((position % 8) as u32);
        bits
    }

    /// Which bit comes next.
    pub(super) fn position(&self) -> usize {
        8 * self.next - self.count as usize
    }

    /// Fills the window: 56 bits or more, which is a code of 16 bits with the 15 of its number, and more.
    #[inline]
    fn refill(&mut self) {
        if let Some(bytes) = self.data.get(self.next..).and_then(<[u8]>::first_chunk) {
            self.window |= u64::from_be_bytes(*bytes) >> self.count;
        }
        let bytes = (63 - self.count) / 8;
        self.next += bytes as usize;
        self.count += 8 * bytes;
    }

    /// The next 1 to 16 bits.
    #[inline]
    const fn peek(&self, count: u32) -> u32 {
        (self.window >> (64 - count)) as u32
    }

    #[inline]
    const fn skip(&mut self, count: u32) {
        self.window <<= count;
        self.count -= count;
    }

    /// The number of `size` bits, 15 at most, that comes next.
    #[inline]
    fn number(&mut self, size: u32) -> i32 {
        if size == 0 {
            return 0;
        }
        let number = extended(self.peek(size), size);
        self.skip(size);
        number
    }
}
