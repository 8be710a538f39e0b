//! Who gets what of a link.

use proptest::prelude::*;

use super::*;

fn camera(current: Current) -> Demand {
    Demand { steps: vec![100, 400, 1500], current, rank: 1 }
}

#[test]
fn everyone_gets_a_small_picture_before_anyone_gets_a_large_one() {
    let demands = vec![camera(Current::Fresh); 3];
    assert_eq!(share(300, &demands).choices, [Some(0), Some(0), Some(0)]);
    assert_eq!(share(650, &demands).choices, [Some(1), Some(0), Some(0)]);
    assert_eq!(share(1200, &demands).choices, [Some(1), Some(1), Some(1)]);
    assert_eq!(share(2300, &demands).choices, [Some(2), Some(1), Some(1)]);
}

#[test]
fn a_screen_is_raised_before_any_camera() {
    let mut demands = vec![camera(Current::Fresh); 3];
    demands[0] = Demand { steps: vec![300, 2000], current: Current::Fresh, rank: 0 };
    assert_eq!(share(2200, &demands).choices, [Some(1), Some(0), Some(0)]);
    assert_eq!(share(2500, &demands).choices, [Some(1), Some(1), Some(0)]);
}

#[test]
fn who_comes_last_is_paused_rather_than_all_starved() {
    let demands = vec![camera(Current::Step(0)); 3];
    let plan = share(250, &demands);
    assert_eq!(plan.choices, [Some(0), Some(0), None]);
    assert_eq!((plan.total, plan.next, plan.preferred), (200, Some(500), 4500));
}

#[test]
fn a_raise_leaves_a_margin_and_what_is_there_stays_without_one() {
    let has = |current| share(400, &[camera(current)]).choices[0];
    assert_eq!(has(Current::Step(0)), Some(0));
    assert_eq!(has(Current::Step(1)), Some(1));
    assert_eq!(has(Current::Fresh), Some(1));
    assert_eq!(share(460, &[camera(Current::Step(0))]).choices, [Some(1)]);
    assert_eq!(share(110, &[camera(Current::Paused)]).choices, [None]);
    assert_eq!(share(115, &[camera(Current::Paused)]).choices, [Some(0)]);
}

#[test]
fn raises_can_be_held_back() {
    let demands = [camera(Current::Step(0)), camera(Current::Step(2))];
    let plan = share(1000, &demands);
    assert_eq!(plan.choices, [Some(1), Some(1)]);
    assert!(plan.raises(&demands));
    assert_eq!(plan.without_raises(&demands).choices, [Some(0), Some(1)]);
}

fn demands() -> impl Strategy<Value = Vec<Demand>> {
    let current = prop_oneof![Just(Current::Fresh), Just(Current::Paused), (0_usize..5).prop_map(Current::Step)];
    let demand =
        (prop::collection::vec(1_u64..3_000_000, 1..6), current, 0_u32..3).prop_map(|(mut steps, current, rank)| {
            steps.sort_unstable();
            Demand { steps, current, rank }
        });
    prop::collection::vec(demand, 0..10).prop_map(|mut demands| {
        demands.sort_by_key(|demand| demand.rank);
        demands
    })
}

proptest! {
    #[test]
    fn no_more_is_given_than_there_is(available in 0_u64..20_000_000, demands in demands()) {
        let plan = share(available, &demands);
        let cost = |(choice, demand): (&Option<usize>, &Demand)| choice.map_or(0, |step| demand.steps[step]);
        prop_assert_eq!(plan.choices.iter().zip(&demands).map(cost).sum::<u64>(), plan.total);
        prop_assert!(plan.total <= available);
        prop_assert!(plan.total <= plan.preferred);
        prop_assert!(plan.next.is_none_or(|next| next > plan.total || demands.iter().any(|d| d.steps.windows(2).any(|w| w[0] == w[1]))));
    }

    #[test]
    fn more_bandwidth_never_pauses_what_came_first(available in 0_u64..5_000_000, more in 0_u64..5_000_000, demands in demands()) {
        let (less, more) = (share(available, &demands), share(available + more, &demands));
        if less.choices.first().is_some_and(Option::is_some) {
            prop_assert!(more.choices[0].is_some());
        }
    }

    #[test]
    fn a_plan_that_was_carried_out_is_stable(available in 0_u64..20_000_000, mut demands in demands()) {
        let plan = share(available, &demands);
        for (demand, choice) in demands.iter_mut().zip(&plan.choices) {
            demand.current = choice.map_or(Current::Paused, Current::Step);
        }
        prop_assert!(!share(available, &demands).raises(&demands));
    }
}
