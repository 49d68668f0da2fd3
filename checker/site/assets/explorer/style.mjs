// The look. Colours are the page's, so that light and dark need nothing of their own; the page's tones have fallbacks.

export const STYLE = `
:host { display: block; margin: 1em 0; font-size: .75rem; line-height: 1.5; color: var(--md-typeset-color, inherit); }
* { box-sizing: border-box; }
.box { border: 1px solid var(--ls-line, #8885); border-radius: .2rem; }
.bar { display: flex; flex-wrap: wrap; gap: .4rem .6rem; align-items: center; padding: .5rem .6rem; border-bottom: 1px solid var(--ls-line, #8885); }
.bar.plain { border-bottom: 0; padding-bottom: 0; }
.grow { flex: 1 1 12rem; min-width: 0; }
h3 { font-size: .75rem; margin: 0 0 .4rem; }
p { margin: .3rem 0; }
code, kbd { font-family: var(--md-code-font-family, monospace); font-size: .92em; overflow-wrap: anywhere; }
a { color: var(--md-typeset-a-color, inherit); }
button, select { font: inherit; color: inherit; background: var(--ls-soft, #8881); border: 1px solid var(--ls-line, #8885); border-radius: .2rem; padding: .15rem .5rem; cursor: pointer; min-height: 1.6rem; max-width: 100%; }
select { background: var(--md-default-bg-color, #fff); }
button:hover:not([aria-disabled="true"]) { border-color: var(--md-accent-fg-color, #526cfe); }
[aria-disabled="true"] { opacity: .45; cursor: default; }
[inert] { opacity: .45; }
:focus-visible { outline: 2px solid var(--md-accent-fg-color, #526cfe); outline-offset: 1px; }
button[aria-pressed="true"] { border-color: currentColor; box-shadow: inset 0 0 0 1px currentColor; }
.badge { border-radius: 1rem; overflow-wrap: anywhere; text-align: left; }
.bad { color: var(--ls-bad, #c62828); }
.known { color: var(--ls-known, #5145a8); }
.good { color: var(--ls-good, #1a7f4b); }
.small, .mark, .line { font-size: .9em; }
.mark { color: var(--ls-plain, #5f6673); margin-left: .5em; }
.quiet { color: var(--ls-plain, #5f6673); }
input[type="range"] { width: 100%; margin: 0; accent-color: var(--md-accent-fg-color, #526cfe); }
.columns { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
.columns > section { padding: .6rem; min-width: 0; }
.columns > section + section { border-left: 1px solid var(--ls-line, #8885); }
.scroll { max-height: 24rem; overflow: auto; overscroll-behavior: auto; }
ol, ul { list-style: none; margin: 0; padding: 0; }
.steps > li { padding: .15rem 0 .15rem .3rem; border-left: 2px solid var(--ls-line, #8885); }
.steps > li.later { opacity: .8; }
.steps > li.loop { color: var(--ls-known, #5145a8); padding-left: .6rem; }
.steps button { display: flex; gap: .5rem; border-color: transparent; background: none; text-align: left; padding: 0 .3rem; }
.steps button[aria-current] { background: var(--ls-soft, #8881); border-color: var(--md-accent-fg-color, #526cfe); font-weight: 700; }
.number { color: var(--ls-plain, #5f6673); min-width: 1.2em; text-align: right; }
.change { font-family: var(--md-code-font-family, monospace); font-size: .86em; overflow-wrap: anywhere; padding-left: 2.3rem; }
.change s { color: var(--ls-plain, #5f6673); }
.abstract { padding-left: 2.3rem; font-size: .9em; color: var(--ls-known, #5145a8); overflow-wrap: anywhere; }
.choices li { margin-bottom: .3rem; }
.choice { display: grid; grid-template-columns: 1.3rem 1fr; width: 100%; text-align: left; gap: 0 .3rem; padding: .25rem .4rem; align-items: baseline; }
.choice .mark { grid-column: 2; margin: 0; }
.choice .told { grid-column: 2; }
.choice .change { padding-left: 0; }
.choice kbd { color: var(--ls-plain, #5f6673); }
details { border-top: 1px solid var(--ls-line, #8885); padding: .4rem .6rem; }
section details { border-top: 0; padding: .3rem 0 0; }
summary { cursor: pointer; font-weight: 700; }
.refusals li { padding: .15rem 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; margin-top: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .15rem .6rem .15rem 0; border-bottom: 1px solid var(--ls-line, #8885); overflow-wrap: anywhere; }
th { font-weight: 400; font-family: var(--md-code-font-family, monospace); font-size: .92em; }
tr.changed td, tr.changed th { font-weight: 700; }
.drawing { overflow: auto; max-height: 34rem; padding: .6rem; }
.drawing svg { display: block; font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.drawing .halo { paint-order: stroke; stroke: var(--md-default-bg-color, transparent); stroke-width: 3px; }
.drawing .row { fill: transparent; cursor: pointer; }
.note { padding: .4rem .6rem; background: var(--ls-soft, #8881); overflow-wrap: anywhere; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
[hidden] { display: none !important; }
@media (max-width: 45em) {
  .columns { grid-template-columns: minmax(0, 1fr); }
  .columns > section + section { border-left: 0; border-top: 1px solid var(--ls-line, #8885); }
  .scroll { max-height: 20rem; }
}
`;
