/** How the reference looks: one column beside its contents, light or dark as the reader's system is. */
export const style = `
:root {
  color-scheme: light dark;
  --text: #1f2430; --quiet: #5c6475; --line: #dfe3ea; --paper: #ffffff; --shade: #f5f7fa; --link: #1d4ed8;
  --get: #1d6fb8; --put: #9a6700; --post: #1a7f4b; --delete: #c0332b; --head: #6b50c8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e3e6ec; --quiet: #9aa3b2; --line: #323844; --paper: #15181e; --shade: #1d212a; --link: #8ab4ff;
    --get: #6cb6ff; --put: #e3b341; --post: #57c78a; --delete: #ff8a80; --head: #b7a3ff;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body {
  margin: 0; color: var(--text); background: var(--paper);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  display: grid; grid-template-columns: 19rem minmax(0, 1fr);
}
a { color: var(--link); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem; z-index: 1; }
nav {
  position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem 2rem 1.5rem;
  border-right: 1px solid var(--line); background: var(--shade); font-size: .875rem;
}
nav .name { font-size: 1.25rem; font-weight: 650; color: var(--text); display: block; }
nav .version { color: var(--quiet); margin: 0 0 1rem; }
nav h2 { border: 0; padding: 0; font-size: .75rem; letter-spacing: .06em; text-transform: uppercase; color: var(--quiet); margin: 1.4rem 0 .4rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a {
  display: grid; grid-template-columns: 3.6rem minmax(0, 1fr); gap: .35rem; padding: .2rem 0; color: var(--text);
  overflow-wrap: anywhere;
}
nav li.plain a { display: block; }
main { padding: 2.5rem clamp(1rem, 4vw, 3.5rem) 6rem; max-width: 62rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.4rem; margin: 3rem 0 1rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
h2::first-letter { text-transform: uppercase; }
h3 { font-size: 1.1rem; margin: 0; overflow-wrap: anywhere; }
h4 { font-size: .75rem; letter-spacing: .06em; text-transform: uppercase; color: var(--quiet); margin: 1.4rem 0 .4rem; }
p { margin: .6rem 0; }
section.operation, section.error, section.schema { padding: 1.6rem 0; border-bottom: 1px solid var(--line); }
section:target { box-shadow: -.35rem 0 0 var(--link); padding-left: 1rem; margin-left: -1rem; }
.method {
  font: 650 .7rem/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; text-align: center; border-radius: .25rem;
  padding: 0 .35rem; color: var(--quiet); border: 1px solid currentColor; align-self: start; margin-top: .1rem;
}
h3 .method { font-size: .8rem; display: inline-block; margin: 0 .5rem 0 0; vertical-align: .1em; }
.get { color: var(--get); } .put { color: var(--put); } .post { color: var(--post); }
.delete { color: var(--delete); } .head { color: var(--head); }
code, pre { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { background: var(--shade); border-radius: .25rem; padding: .1em .3em; overflow-wrap: anywhere; }
h3 code { background: none; padding: 0; font-size: 1em; }
pre {
  background: var(--shade); border: 1px solid var(--line); border-radius: .4rem; padding: .8rem 1rem; margin: .5rem 0;
  overflow-x: auto; max-height: 26rem;
}
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 500; white-space: nowrap; }
td:first-child { white-space: nowrap; }
tbody tr:last-child td { border-bottom: 0; }
.quiet { color: var(--quiet); }
details { margin: .5rem 0; }
summary { cursor: pointer; color: var(--link); font-size: .9rem; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1.2rem; margin: .6rem 0; font-size: .9rem; }
dt { color: var(--quiet); } dd { margin: 0; }
@media (max-width: 60rem) {
  body { display: block; }
  nav { position: static; height: auto; max-height: 9rem; border-right: 0; border-bottom: 1px solid var(--line); }
  td:first-child { white-space: normal; }
}
@media (max-width: 40rem) {
  table, tbody, tr, td { display: block; }
  thead { display: none; }
  tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  td { border-bottom: 0; padding: .1rem 0; }
  td:first-child code { overflow-wrap: break-word; }
  dl { grid-template-columns: minmax(0, 1fr); }
}
@media print { nav { display: none; } body { display: block; } }
`;
