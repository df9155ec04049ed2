//! The statements of the policies that are applied, in the order of their application.

use std::collections::BTreeMap;
use std::str::FromStr;

use openelb_announce::bgp::asn::Asn;
use openelb_announce::bgp::family::FamilySet;
use openelb_announce::bgp::policy::{
    Action, Comparison, Condition, Edit, MatchAll, MatchAny, Med, PrependAsn, SetNextHop, Statement,
};

use super::document::{self, Actions, AsPathLength, BgpActions, Conditions, Document};
use super::sets::Sets;
use super::{DISPOSITIONS, Faults, disposition, unknown};
use crate::problem::Reason;

/// The statements of the applied export policies. Those of policies that are not applied are checked
/// too, so that a mistake does not wait for the day on which they are.
pub(super) fn of_policies(document: &Document, sets: &Sets, faults: &mut Faults) -> Vec<Statement> {
    let mut policies: BTreeMap<&str, Vec<Statement>> = BTreeMap::new();
    for policy in &document.policy_definitions {
        let statements = (1..).zip(&policy.statements);
        let read = statements.map(|(number, statement)| {
            let name = match statement.name.as_str() {
                "" => format!("{}/{number}", policy.name),
                name => format!("{}/{name}", policy.name),
            };
            Reader { name, sets, faults }.statement(statement)
        });
        let read = read.collect();
        if policies.insert(&policy.name, read).is_some() {
            let message = format!("there are two policies `{}`", policy.name);
            faults.invalid(
                "policy-definitions",
                message,
                "rename or remove one of them",
            );
        }
    }
    let mut statements = Vec::new();
    for name in &document.global.apply_policy.config.export_policy_list {
        // A policy that is applied twice would find all its statements there already.
        match policies.remove(name.as_str()) {
            Some(of_policy) => statements.extend(of_policy),
            None => faults.invalid(
                "global.apply-policy.config.export-policy-list",
                format!("`{name}` is no policy, or is listed twice"),
                "define it once in policy-definitions, and list it once",
            ),
        }
    }
    statements
}

struct Reader<'a> {
    name: String,
    sets: &'a Sets,
    faults: &'a mut Faults,
}

impl Reader<'_> {
    fn statement(mut self, written: &document::Statement) -> Statement {
        let word = written.actions.route_disposition.as_str();
        let disposition = disposition(word).unwrap_or_else(|()| {
            self.invalid("route-disposition", unknown(word), DISPOSITIONS);
            None
        });
        Statement {
            conditions: self.conditions(&written.conditions),
            actions: self.actions(&written.actions),
            disposition,
            name: self.name.into(),
        }
    }

    fn conditions(&mut self, written: &Conditions) -> Vec<Condition> {
        let mut conditions = Vec::new();
        if let Some(wish) = &written.match_prefix_set {
            let how = self.match_any(&wish.match_set_options);
            let set = self.set("prefix-sets", &wish.prefix_set, &self.sets.prefixes);
            conditions.extend(set.map(|set| Condition::Prefixes { set, how }));
        }
        if let Some(wish) = &written.match_neighbor_set {
            let how = self.match_any(&wish.match_set_options);
            let set = self.set("neighbor-sets", &wish.neighbor_set, &self.sets.neighbors);
            conditions.extend(set.map(|set| Condition::Neighbors { set, how }));
        }
        let bgp = &written.bgp_conditions;
        self.community_conditions(bgp, &mut conditions);
        if let Some(wish) = &bgp.match_as_path_set {
            let how = self.match_all(&wish.match_set_options);
            let set = self.set("as-path-sets", &wish.as_path_set, &self.sets.as_paths);
            conditions.extend(set.map(|patterns| Condition::AsPaths {
                name: wish.as_path_set.as_str().into(),
                patterns,
                how,
            }));
        }
        if let Some(wish) = &bgp.as_path_length {
            conditions.extend(self.as_path_length(wish));
        }
        if !bgp.afi_safi_in_list.is_empty() {
            conditions.push(Condition::Families(self.families(&bgp.afi_safi_in_list)));
        }
        conditions
    }

    fn community_conditions(
        &mut self,
        written: &document::BgpConditions,
        conditions: &mut Vec<Condition>,
    ) {
        let sets = self.sets;
        if let Some(wish) = &written.match_community_set {
            let how = self.match_all(&wish.match_set_options);
            let set = self.set("community-sets", &wish.community_set, &sets.communities);
            conditions.extend(set.map(|patterns| Condition::Communities {
                name: wish.community_set.as_str().into(),
                patterns,
                how,
            }));
        }
        if let Some(wish) = &written.match_ext_community_set {
            let how = self.match_all(&wish.match_set_options);
            let (kind, name) = ("ext-community-sets", &wish.ext_community_set);
            let set = self.set(kind, name, &sets.ext_communities);
            conditions.extend(set.map(|communities| Condition::ExtendedCommunities {
                name: name.as_str().into(),
                communities,
                how,
            }));
        }
        if let Some(wish) = &written.match_large_community_set {
            let how = self.match_all(&wish.match_set_options);
            let (kind, name) = ("large-community-sets", &wish.large_community_set);
            let set = self.set(kind, name, &sets.large_communities);
            conditions.extend(set.map(|communities| Condition::LargeCommunities {
                name: name.as_str().into(),
                communities,
                how,
            }));
        }
    }

    fn set<T: Clone>(&mut self, kind: &str, name: &str, sets: &BTreeMap<String, T>) -> Option<T> {
        let set = sets.get(name).cloned();
        if set.is_none() {
            let next = format!("define it in {kind}");
            self.invalid(kind, format!("there is no set `{name}`"), &next);
        }
        set
    }

    fn match_any(&mut self, word: &str) -> MatchAny {
        match word.to_ascii_lowercase().as_str() {
            "" | "any" => MatchAny::Any,
            "invert" => MatchAny::Invert,
            _ => {
                self.invalid("match-set-options", unknown(word), "write any or invert");
                MatchAny::Any
            }
        }
    }

    fn match_all(&mut self, word: &str) -> MatchAll {
        match word.to_ascii_lowercase().as_str() {
            "" | "any" => MatchAll::Any,
            "all" => MatchAll::All,
            "invert" => MatchAll::Invert,
            _ => {
                self.invalid(
                    "match-set-options",
                    unknown(word),
                    "write any, all or invert",
                );
                MatchAll::Any
            }
        }
    }

    fn as_path_length(&mut self, written: &AsPathLength) -> Option<Condition> {
        let comparison = match written.operator.as_str() {
            "eq" => Comparison::Equal,
            "ge" => Comparison::AtLeast,
            "le" => Comparison::AtMost,
            word => {
                self.invalid(
                    "as-path-length.operator",
                    unknown(word),
                    "write eq, ge or le",
                );
                return None;
            }
        };
        let length = usize::try_from(written.value).unwrap_or(usize::MAX);
        Some(Condition::AsPathLength { comparison, length })
    }

    fn families(&mut self, names: &[String]) -> FamilySet {
        let mut families = FamilySet::EMPTY;
        for name in names {
            if let Ok(family) = name.parse() {
                families.insert(family);
            } else {
                let message = format!("family `{name}` is not supported");
                let next = "write ipv4-unicast or ipv6-unicast";
                self.unsupported("afi-safi-in-list", message, next);
            }
        }
        families
    }

    fn actions(&mut self, written: &Actions) -> Vec<Action> {
        let bgp = &written.bgp_actions;
        let mut actions = self.community_actions(bgp);
        if let Some(text) = &bgp.set_med {
            let med = med(&text.0);
            if med.is_none() {
                let next = "write a number to set it, +N or -N to change it";
                self.invalid("set-med", format!("`{}` is no change", text.0), next);
            }
            actions.extend(med.map(Action::Med));
        }
        actions.extend(bgp.set_local_pref.map(Action::LocalPref));
        if let Some(wish) = &bgp.set_as_path_prepend {
            let asn = match wish.r#as.0.as_str() {
                "last-as" => Some(PrependAsn::LastAs),
                text => text.parse().ok().map(Asn).map(PrependAsn::Asn),
            };
            if asn.is_none() {
                let message = format!("`{}` is no AS", wish.r#as.0);
                let next = "write a number such as 65000, or last-as";
                self.invalid("set-as-path-prepend.as", message, next);
            }
            let times = wish.repeat_n;
            actions.extend(asn.map(|asn| Action::Prepend { asn, times }));
        }
        if let Some(text) = &bgp.set_next_hop {
            actions.extend(self.next_hop(text).map(Action::NextHop));
        }
        actions
    }

    fn next_hop(&mut self, text: &str) -> Option<SetNextHop> {
        if text == "self" {
            return Some(SetNextHop::Own);
        }
        let address = text.parse().ok();
        if address.is_none() {
            let message = format!("`{text}` is not supported");
            self.unsupported("set-next-hop", message, "write self or an address");
        }
        address.map(SetNextHop::Address)
    }

    fn community_actions(&mut self, written: &BgpActions) -> Vec<Action> {
        let mut actions = Vec::new();
        if let Some(wish) = &written.set_community {
            let key = "set-community";
            let list = self.list(key, &wish.set_community_method.communities_list);
            let edit = self.edit(key, &wish.options);
            actions.extend(edit.map(|edit| Action::Communities(edit, list)));
        }
        if let Some(wish) = &written.set_ext_community {
            let key = "set-ext-community";
            let list = self.list(key, &wish.set_ext_community_method.communities_list);
            let edit = self.edit(key, &wish.options);
            actions.extend(edit.map(|edit| Action::ExtendedCommunities(edit, list)));
        }
        if let Some(wish) = &written.set_large_community {
            let key = "set-large-community";
            let list = self.list(key, &wish.set_large_community_method.communities_list);
            let edit = self.edit(key, &wish.options);
            actions.extend(edit.map(|edit| Action::LargeCommunities(edit, list)));
        }
        actions
    }

    fn list<T: FromStr<Err: std::fmt::Display>>(&mut self, key: &str, texts: &[String]) -> Vec<T> {
        let mut list = Vec::new();
        for text in texts {
            match text.parse() {
                Ok(member) => list.push(member),
                Err(error) => {
                    let key = format!("{}: {key}", self.name);
                    self.faults.text(Reason::Invalid, key, error);
                }
            }
        }
        list
    }

    fn edit(&mut self, key: &str, word: &str) -> Option<Edit> {
        match word.to_ascii_lowercase().as_str() {
            "add" => Some(Edit::Add),
            "remove" => Some(Edit::Remove),
            "replace" => Some(Edit::Replace),
            _ => {
                let key = format!("{key}.options");
                self.invalid(&key, unknown(word), "write ADD, REMOVE or REPLACE");
                None
            }
        }
    }

    fn invalid(&mut self, key: &str, message: String, next: &str) {
        let key = format!("{}: {key}", self.name);
        self.faults.invalid(key, message, next);
    }

    fn unsupported(&mut self, key: &str, message: String, next: &str) {
        let key = format!("{}: {key}", self.name);
        self.faults
            .add(Reason::UnsupportedField, key, message, next);
    }
}

/// `100` sets, `+10` and `-10` change.
fn med(text: &str) -> Option<Med> {
    let text = text.trim();
    if let Some(more) = text.strip_prefix('+') {
        return more.parse().ok().map(Med::Add);
    }
    match text.strip_prefix('-') {
        Some(less) => less.parse().ok().map(Med::Subtract),
        None => text.parse().ok().map(Med::Set),
    }
}
