"""Random declarations: constants, types, roles, networks, messages, faults and variables."""

from __future__ import annotations

from tests.random_specs import kinds as k
from tests.random_specs.kinds import BOOL, SMALL, Kind
from tests.random_specs.statements import Statements
from tests.random_specs.world import CODE, PURE, Message, Scope

SIZES = (1, 2, 2, 2, 3)
FORGED = 40
"""The most payloads of a message that a process may forge."""


class Declarations(Statements):
    """Writes the first part of a spec. What is decided here is kept in the world, or below."""

    symmetry = False
    """Whether roles and ids are symmetric more often than not, and of two or three instances."""
    ticking: tuple[str, ...] = ()
    slipping: tuple[str, ...] = ()
    overridden: tuple[str, ...] = ()
    firsts: dict[str, str]
    """What the first field of a record is, so that the record's condition holds."""

    # ---- constants and types

    def constants(self) -> list[str]:
        self.sizes = [self.pick(SIZES), self.pick((0, 1, 2))]
        if self.symmetry:
            self.sizes = [self.pick((2, 2, 3)), self.pick((1, 2, 2))]
        self.world.constants += [("BIG", SMALL), ("FLAG", BOOL)]
        flag = self.pick(["true", "false"])
        return [
            f"const N: 0..3 = {self.sizes[0]}",
            f"const M: 0..3 = {self.sizes[1]}",
            f"const BIG: 0..{1 << 62} = {self.pick([3, 3_000_000_000, 1 << 61])}",
            "const SUM = BIG + N",
            f"const FLAG = {flag}",
        ]

    def types(self) -> list[str]:
        """Enums, ids and records, and a choice of what can be made of them."""
        world, lines = self.world, []
        self.firsts = {}
        self.names: list[Kind] = [BOOL, SMALL]
        self.names.append(k.integers(-self.rng.randrange(1, 4), self.rng.randrange(3)))
        if self.chance(25):
            self.names.append(
                k.integers(*self.pick([(0, 70_000), (-5, 1 << 40), (0, (1 << 62) - 1), (10, 12), (0, 0)]))
            )
        symmetric = self.chance(25) or self.symmetry
        for n in range(self.rng.choice((1, 2))):
            size = self.pick((1, 2, 3, 3, 5)) if self.chance(85) else self.pick((66, 130))
            values = tuple(f"e{n}v{i}" for i in range(size))
            lines.append(f"enum E{n} {{ {', '.join(values)} }}")
            self.names.append(k.enum(f"E{n}", values))
        self.names.append(k.ids("V", self.pick((1, 2, 2, 3)), symmetric=symmetric and self.chance(60)))
        lines.append(f"id V[{self.names[-1].size}]{' symmetric' if self.names[-1].symmetric else ''}")
        self.symmetric_roles = symmetric
        world.roles["A"] = k.role("A", self.sizes[0], symmetric=symmetric and self.chance(60))
        world.roles["B"] = k.role("B", 1, single=True)
        if self.chance(60):
            world.roles["C"] = k.role("C", self.sizes[1], symmetric=symmetric and self.chance(60))
        self.names += world.roles.values()
        lines += [self.record_line(f"R{n}") for n in range(self.rng.choice((1, 2)))]
        made: list[Kind] = []
        for _ in range(self.rng.randrange(5, 9)):
            made.append(self.made_of(self.pick([*self.names, *made[-2:]])))
        made.append(self.nested())
        if made[-1].form == "opt":
            made.append(made[-1].elem)
        if self.chance(25):
            made.append(self.large())
        fits = [kind for kind in made if self.fits(kind)]
        world.kinds = [BOOL, SMALL, *self.names, *fits]
        return lines

    def record_line(self, name: str) -> str:
        fields = {}
        for i in range(self.rng.randrange(1, 4)):
            kind = self.pick(self.names)
            made = self.made_of(kind)
            fields[f"{name.lower()}f{i}"] = made if self.chance(40) and self.fits(made) else kind
        shown = ", ".join(f"{f}: {kind.name}" for f, kind in fields.items())
        where, name0 = "", next(iter(fields))
        if self.chance(30) and not k.bare(fields[name0]) and fields[name0].form != "bag":
            scope = Scope(PURE, tuple(fields.items()))
            self.world.kinds = [BOOL, SMALL, *[n for n in self.names if not k.bare(n)]]
            self.firsts[name] = self.first(fields[name0], Scope(PURE))
            where = f" where {name0} == {self.firsts[name]} or {self.expr(BOOL, scope, 1)}"
        self.names.append(k.record(name, fields, constrained=bool(where)))
        return f"record {name}({shown}){where}"

    def made_of(self, kind: Kind) -> Kind:
        """A type with another one inside."""
        plain = kind if kind.form != "opt" else kind.elem
        keys = [n for n in self.names if k.count(n) <= 8 and not k.constrained(n)]
        if k.count(kind) <= 8 and not k.constrained(kind):
            keys += [kind] * 2
        key = self.pick(keys)
        limit = self.rng.randrange(1, 4)
        return self.pick(
            [
                k.opt(plain),
                k.opt(plain),
                k.set_of(kind),
                k.set_of(kind),
                k.set_of(kind, limit),
                k.seq_of(kind, limit),
                k.seq_of(kind, limit),
                k.bag_of(kind, limit),
                k.bag_of(kind, limit),
                k.map_of(key, kind),
                k.map_of(key, kind),
                k.map_of(key, self.pick(self.names)),
            ]
        )

    def nested(self) -> Kind:
        """A type of two levels that `made_of` seldom makes."""
        small = self.pick([n for n in self.names if k.count(n) <= 3])
        return self.pick(
            [
                *[k.opt(k.set_of(small)), k.opt(k.bag_of(small, 2))] * 2,
                k.opt(k.map_of(small, self.pick(self.names))),
                k.opt(k.seq_of(small, 2)),
                k.map_of(k.set_of(small), BOOL),
                k.map_of(k.opt(small), self.pick(self.names)),
                k.map_of(k.seq_of(BOOL, 1), small),
                k.map_of(k.map_of(BOOL, BOOL), small),
                k.map_of(k.bag_of(BOOL, 1), small),
                k.map_of(small, k.map_of(BOOL, SMALL)),
                k.seq_of(k.seq_of(small, 1), 2),
                k.seq_of(k.bag_of(small, 1), 2),
                k.bag_of(k.map_of(BOOL, BOOL), 2),
                k.bag_of(k.seq_of(BOOL, 1), 2),
                k.set_of(k.bag_of(BOOL, 1)),
                k.set_of(k.seq_of(small, 1)),
                k.set_of(k.opt(small)),
            ]
        )

    def large(self) -> Kind:
        """A type with many values or many bits."""
        hundred, huge = k.integers(0, 99), k.integers(-(1 << 40), 1 << 40)
        return self.pick(
            [
                k.set_of(hundred),
                k.seq_of(huge, 3),
                k.seq_of(huge, 4),
                k.bag_of(k.integers(0, 1000), 4),
                k.map_of(k.integers(0, 69), BOOL),
                k.map_of(k.integers(-40, 40), k.opt(SMALL)),
                k.set_of(k.set_of(k.integers(0, 6))),
                k.seq_of(k.set_of(k.integers(0, 69)), 2),
                k.opt(k.seq_of(huge, 2)),
            ]
        )

    def fits(self, kind: Kind) -> bool:
        """Whether a type can be stored: narrow enough, few values inside its sets, and no key with a condition."""
        if kind.form == "map" and (k.count(kind.parts[0]) > 81 or k.constrained(kind.parts[0])):
            return False
        if kind.form == "set" and (k.count(kind.elem) > 200 or k.width(kind.elem) > 8):
            return False
        return k.width(kind) <= 1 << 12 and all(self.fits(p) for p in kind.parts)

    # ---- roles, networks, messages, faults

    def head(self, name: str) -> str:
        role = self.world.roles[name]
        size = "" if role.single else f"[{'N' if name == 'A' else 'M'}]"
        return f"{name}{size}{' symmetric' if role.symmetric else ''}"

    def roles_of_all(self) -> list[str]:
        """Decides which roles have clocks and faults, and the faults of the check. No line is written for it."""
        roles = list(self.world.roles)
        if self.chance(30):
            self.ticking = tuple(r for r in roles if self.chance(70))
        self.slipping = tuple(r for r in roles if self.chance(15))
        options = [
            *(f"{f} {r}" for f in ("crash", "crash", "stop") for r in roles),
            "lose",
            "cut",
            f"cut({roles[0]}, B)",
        ]
        options += [f"drift {r}" for r in self.ticking] * 3 + [f"{r}.Slip" for r in self.slipping] * 2
        options += [f"byzantine {r}" for r in roles if self.world.roles[r].size]
        for key in self.rng.sample(options, self.rng.choice((0, 1, 1, 2, 2, 3))):
            if not (key.startswith("cut") and any(f.startswith("cut") for f in self.world.faults)):
                self.world.faults[key] = (
                    "1" if self.chance(75) or key.startswith("byz") else self.pick(["2", "1 + 1", "0"])
                )
        return []

    def message_lines(self) -> list[str]:
        """Messages, each on one of several networks. Who sends and who handles what is decided beforehand."""
        names = [f"M{i}" for i in range(self.rng.randrange(2, 5))]
        several = self.rng.choice((1, 1, 2, 3))
        home = {name: i % several for i, name in enumerate(names)}
        forms = self.rng.sample(["soup", "bag", "fifo"], several)
        if self.symmetry and several < 3 and self.chance(70):  # queues are lists in native code, where symmetry ends
            forms = self.rng.sample(["soup", "bag"], several)
        nets = [self.network(kind) for kind in forms]
        lines = []
        for i, net in enumerate(nets):
            carried = [n for n in names if home[n] == i]
            if i > 0 and carried:
                lines.append(f"network net{i} {net} for {', '.join(carried)}")
        if any(home[n] == 0 for n in names):
            lines.append(f"network {nets[0]}")
            if nets[0] != "soup" and self.chance(15):
                self.overridden = (f"network {self.pick(['bag[2] drop', 'fifo[2]', 'bag[1] session block'])}",)
        used = [nets[home[n]] for n in names]
        if any(not net.startswith("soup") for net in used) and self.chance(20):
            self.world.faults["dup"] = "1"
        lies = any(key.startswith("byzantine") for key in self.world.faults)
        sigs = []
        for name in names:
            fields = self.payload(FORGED if lies else 1 << 62)
            roles = list(self.world.roles)
            senders = tuple(r for r in roles if self.chance(55)) or (self.pick(roles),)
            receivers = tuple(r for r in roles if self.chance(65))
            if self.symmetry and self.chance(60):  # between a symmetric role and one that is not
                senders, receivers = self.pick([(("A",), ("B",)), (("B",), ("A",))])
            net = nets[home[name]]
            asked = net == "soup" and "lose" not in self.world.faults
            self.world.messages.append(Message(name, fields, senders, receivers, net == "soup", asked))
            shown = ", ".join(f"a{i}: {kind.name}" for i, kind in enumerate(fields))
            sigs.append(f"{name}({shown})" if fields else name)
        return [f"message {', '.join(sigs)}", *lines]

    def payload(self, most: int) -> tuple[Kind, ...]:
        fields: list[Kind] = []
        for _ in range(self.rng.choice((0, 0, 1, 1, 2))):
            # what cannot be written is a parameter of the action that sends it
            fits = [n for n in self.world.kinds if k.count(n) <= (min(most, 12) if k.bare(n) else most)]
            if fits:
                fields.append(self.pick(fits))
                most //= max(1, k.count(fields[-1]))
        return tuple(fields)

    def network(self, kind: str) -> str:
        session = " session" if self.chance(20) else ""
        if kind == "soup":
            return f"soup{session}"
        return f"{kind}[{self.pick((1, 1, 2, 3))}]{self.pick(['', ' drop', ' drop', ' block', ' block'])}{session}"

    # ---- variables

    def variables(self) -> list[str]:
        """Shared variables and ghosts; the roles' own are decided here and written by `own_variables`."""
        world, lines = self.world, []
        self.anys = 2
        for _ in range(self.rng.choice((0, 1, 1, 2))):
            name, kind = world.fresh("s"), self.storable(None)
            world.shared.append((name, kind))
            lines.append(f"shared {self.pick(['', 'durable '])}{name}: {kind.name} = {self.initial(kind, None)}")
        for _ in range(self.rng.choice((0, 1, 1))):
            name, kind = world.fresh("g"), self.storable(None)
            world.ghosts.append((name, kind))
            lines.append(f"shared ghost {name}: {kind.name} = {self.initial(kind, None)}")
        for role in world.roles:
            own = [(world.fresh(role.lower()), self.storable(role)) for _ in range(self.rng.choice((1, 2, 2, 3)))]
            world.own[role] = own
            world.own_ghosts[role] = [(world.fresh("h"), self.storable(role))] if self.chance(25) else []
        return lines

    def own_variables(self, role: str) -> list[str]:
        lines = [
            f"  {self.pick(['durable', 'volatile'])} {n}: {kind.name} = {self.initial(kind, role)}"
            for n, kind in self.world.own[role]
        ]
        ghosts = self.world.own_ghosts[role]
        return lines + [f"  ghost {n}: {kind.name} = {self.initial(kind, role)}" for n, kind in ghosts]

    def storable(self, role: str | None) -> Kind:
        """A kind of which there is a first value."""
        scope = Scope(CODE, (("self", self.world.roles[role]),)) if role else Scope(PURE)
        wide = [kind for kind in self.world.kinds if k.count(kind) > 64]
        if wide and self.chance(15):
            return self.pick([w for w in wide if self.can(w, scope) or w.form == "bag"] or [SMALL])
        return self.pick([kind for kind in self.world.kinds if self.can(kind, scope) or kind.form == "bag"])

    def initial(self, kind: Kind, role: str | None) -> str:
        """A first value; rarely any of several."""
        names = (("self", self.world.roles[role]),) if role else ()
        scope = Scope(PURE, names)
        if self.anys and k.count(kind) <= 4 and kind.form not in ("bag", "map") and self.chance(10):
            copies = self.world.roles[role].size if role else 1
            if copies <= 2:
                self.anys -= 1
                if kind.form == "int":
                    return f"any {kind.low} .. {kind.high}" if kind.low >= 0 else f"any {self.world.named(kind)}"
                return f"any {self.typed_set(kind, scope, 0)}"
        return self.first(kind, scope, fill=True)

    def first(self, kind: Kind, scope: Scope, *, fill: bool = False) -> str:
        """A first value that is one of the type. `fill`: one value may stand for a whole map."""
        match kind.form:
            case "int":
                return str(self.pick(sorted({max(kind.low, min(kind.high, n)) for n in (0, 1, kind.low)})))
            case "bag":
                return (
                    self.pick(["[]", "{}", f"[{self.first(kind.elem, scope)}]"]) if self.can(kind.elem, scope) else "[]"
                )
            case "seq":
                return f"[{self.first(kind.elem, scope)}]" if self.can(kind.elem, scope) and self.chance(50) else "[]"
            case "set":
                filled = self.can(kind.elem, scope) and kind.high != 0 and self.chance(50)
                return f"{{{self.first(kind.elem, scope)}}}" if filled else "{}"
            case "opt":
                return self.first(kind.elem, scope) if self.can(kind.elem, scope) and self.chance(40) else "none"
            case "map" if fill and (kind.elem.form == "map" or "Map" not in kind.elem.name):
                return self.first(kind.elem, scope, fill=True)
            case "map":
                return (
                    f"{{{self.world.fresh('k')} in {self.world.named(kind.parts[0])}: {self.first(kind.elem, scope)}}}"
                )
            case "record":
                items = [self.first(p, scope) for p in kind.parts]
                return f"{kind.name}({', '.join([self.firsts.get(kind.name, items[0]), *items[1:]])})"
        return self.leaf(kind, scope)
