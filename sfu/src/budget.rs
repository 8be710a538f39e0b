//! Which layer of which track a link can carry: arithmetic, nothing else.

/// An up-switch needs so much more than it costs, in percent: an estimate is never exact.
const MARGIN: u64 = 115;

/// One track that someone wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Demand {
    /// What each step costs in bits per second, the lowest first; never empty, and no step is cheaper than the one below.
    pub(crate) steps: Vec<u64>,
    /// What it has now.
    pub(crate) current: Current,
    /// Who comes first: demands of one rank are raised together, those of a lower number before.
    pub(crate) rank: u32,
}

/// What a demand has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Current {
    /// It is new: no experience speaks against giving it what fits.
    Fresh,
    /// Nothing, because there was no room.
    Paused,
    /// This step.
    Step(usize),
}

/// Who gets what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Plan {
    /// The step of each demand, in their order; `None`: there is no room.
    pub(crate) choices: Vec<Option<usize>>,
    /// The cost of it all.
    pub(crate) total: u64,
    /// What it all would cost with one more step somewhere, if anybody wants one.
    pub(crate) next: Option<u64>,
    /// What it all would cost if everybody had what it wants most.
    pub(crate) preferred: u64,
}

/// Shares `available` bits per second among demands, which stand in order of importance.
///
/// Everyone gets its lowest step first, as far as there is room: many small pictures are worth more than one large. Then
/// each rank is raised step by step in turn. What would be a raise over the present must leave a margin.
pub(crate) fn share(available: u64, demands: &[Demand]) -> Plan {
    let mut plan = Plan { choices: vec![None; demands.len()], ..Plan::default() };
    for (index, demand) in demands.iter().enumerate() {
        plan.take(available, demand, index, 0);
    }
    let mut from = 0;
    while let Some(first) = demands.get(from) {
        let to = from + demands[from..].iter().take_while(|demand| demand.rank == first.rank).count();
        while plan.raise_once(available, demands, from..to) {}
        from = to;
    }
    plan.preferred = demands.iter().filter_map(|demand| demand.steps.last()).sum();
    let next = |(demand, choice): (&Demand, &Option<usize>)| {
        let step = choice.map_or(0, |step| step + 1);
        let now = choice.map_or(0, |step| demand.steps[step]);
        demand.steps.get(step).map(|cost| cost.saturating_sub(now))
    };
    plan.next = demands.iter().zip(&plan.choices).find_map(next).map(|more| plan.total + more);
    plan
}

impl Plan {
    /// Whether anybody gets more than now.
    pub(crate) fn raises(&self, demands: &[Demand]) -> bool {
        self.choices.iter().zip(demands).any(|(choice, demand)| is_raise(demand.current, *choice))
    }

    /// The same without what is more than now.
    pub(crate) fn without_raises(mut self, demands: &[Demand]) -> Self {
        for (choice, demand) in self.choices.iter_mut().zip(demands) {
            if is_raise(demand.current, *choice) {
                *choice = match demand.current {
                    Current::Step(step) => Some(step.min(demand.steps.len() - 1)),
                    Current::Fresh | Current::Paused => None,
                };
            }
        }
        self
    }

    /// Raises each demand of a range by one step where there is room. Whether any was.
    fn raise_once(&mut self, available: u64, demands: &[Demand], range: std::ops::Range<usize>) -> bool {
        let mut raised = false;
        for index in range {
            let Some(step) = self.choices[index] else { continue };
            raised |= self.take(available, &demands[index], index, step + 1);
        }
        raised
    }

    /// Gives a demand a step instead of what it has, if there is room.
    fn take(&mut self, available: u64, demand: &Demand, index: usize, step: usize) -> bool {
        let Some(cost) = demand.steps.get(step) else { return false };
        let before = self.choices[index].map_or(0, |step| demand.steps[step]);
        let total = self.total + cost.saturating_sub(before);
        let needed = if is_raise(demand.current, Some(step)) { total.saturating_mul(MARGIN) / 100 } else { total };
        let fits = needed <= available;
        if fits {
            self.choices[index] = Some(step);
            self.total = total;
        }
        fits
    }
}

/// What is new needs no margin: there is nothing that it could disturb more than it does anyway.
fn is_raise(current: Current, choice: Option<usize>) -> bool {
    match (current, choice) {
        (Current::Paused, Some(_)) => true,
        (Current::Step(now), Some(then)) => then > now,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
