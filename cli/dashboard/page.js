// The scheduler's page: asks for /status and /history every second and shows them. No part of it comes from
// elsewhere.
'use strict';

const byId = (id) => document.getElementById(id);
const format = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });
const number = (value) => (typeof value === 'number' ? format.format(value) : '–');
const mebibytes = (bytes) => `${number(bytes / 1048576)} MiB`;
const svgNamespace = 'http://www.w3.org/2000/svg';

function duration(seconds) {
  if (typeof seconds !== 'number') return '–';
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function svg(tag, attributes, text) {
  const made = document.createElementNS(svgNamespace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// cells: texts, or [text, class].
function fillTable(id, rows) {
  const body = byId(id).tBodies[0];
  body.replaceChildren(...rows.map((cells) => {
    const row = element('tr');
    cells.forEach((cell, column) => {
      const [text, className] = Array.isArray(cell) ? cell : [cell];
      const made = element(column === 0 ? 'th' : 'td', text, className);
      if (column === 0) made.scope = 'row';
      row.append(made);
    });
    return row;
  }));
}

// A curve for eyes, a sentence and a table for everybody else. points: [[x, y], ...]
function curve(figure, points, what, fromZero) {
  const known = points.filter(([, y]) => typeof y === 'number');
  if (known.length < 2) {
    figure.replaceChildren(element('p', 'not enough to draw yet', 'hint'));
    return;
  }
  const [width, height, left, bottom] = [640, 220, 64, 24];
  const xs = known.map(([x]) => x);
  const ys = known.map(([, y]) => y);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  let [y0, y1] = [fromZero ? 0 : Math.min(...ys), Math.max(...ys)];
  if (y1 === y0) y1 = y0 + Math.max(Math.abs(y0), 1) / 10;
  const px = (x) => left + ((x - x0) / Math.max(x1 - x0, 1e-9)) * (width - left - 8);
  const py = (y) => 8 + (1 - (y - y0) / (y1 - y0)) * (height - bottom - 16);
  const last = ys[ys.length - 1];
  const said = `${what}: ${number(last)} now, between ${number(Math.min(...ys))} and ${number(Math.max(...ys))} ` +
    `over ${duration(x1 - x0)}`;
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': said });
  for (const y of [y0, (y0 + y1) / 2, y1]) {
    drawing.append(svg('line', { class: 'axis', x1: left, x2: width - 8, y1: py(y), y2: py(y) }),
      svg('text', { x: left - 8, y: py(y) + 4, 'text-anchor': 'end' }, number(y)));
  }
  for (const [x, anchor] of [[x0, 'start'], [x1, 'end']]) {
    drawing.append(svg('text', { x: px(x), y: height - 6, 'text-anchor': anchor }, duration(x)));
  }
  drawing.append(svg('polyline', { class: 'curve', points: known.map(([x, y]) => `${px(x)},${py(y)}`).join(' ') }));
  figure.replaceChildren(drawing, element('figcaption', said, 'hint'));
}

function bars(figure, counts, labels, what) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) {
    figure.replaceChildren(element('p', 'nothing yet', 'hint'));
    return;
  }
  let shown = counts.length;
  while (shown > 1 && counts[shown - 1] === 0) shown -= 1;
  const [width, height, bottom] = [640, 200, 24];
  const most = Math.max(...counts);
  const step = width / shown;
  const said = counts.slice(0, shown).map((count, n) => `${labels[n]}: ${number((100 * count) / total)} %`).join(', ');
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${what}: ${said}` });
  for (let n = 0; n < shown; n += 1) {
    const tall = (counts[n] / most) * (height - bottom - 20);
    drawing.append(svg('rect', { class: 'bar', x: n * step + 2, width: Math.max(step - 4, 1), height: tall,
      y: height - bottom - tall }),
    svg('text', { x: (n + 0.5) * step, y: height - 8, 'text-anchor': 'middle' }, labels[n]));
  }
  figure.replaceChildren(drawing);
}

function showProgress(status) {
  document.title = `${status.job} – Capstan`;
  byId('job').textContent = status.job;
  const waits = status.waits_for && status.waits_for !== status.state ? `: ${status.waits_for}` : '';
  const state = `${status.state}${waits}`;
  if (byId('state').textContent !== state) byId('state').textContent = state;
  byId('fraction').value = status.fraction_of_pass;
  byId('fraction-text').textContent =
    `pass ${status.pass} of ${status.passes}, ${Math.round(100 * status.fraction_of_pass)} %`;
  const facts = [['examples a second', number(status.examples_per_second)], ['loss', number(status.loss)],
    ['examples', number(status.examples)], ['steps', number(status.steps)], ['left', duration(status.eta_seconds)],
    ['running for', duration(status.seconds)], ['generation', number(status.generation)],
    ['map version', number(status.map_version % 4294967296)]];
  byId('facts').replaceChildren(...facts.map(([name, value]) => {
    const pair = element('div');
    pair.append(element('dt', name), element('dd', value));
    return pair;
  }));
  const section = byId('warnings-section');
  section.hidden = status.warnings.length === 0;
  const list = byId('warnings');
  if (list.childElementCount !== status.warnings.length) {
    list.replaceChildren(...status.warnings.slice().reverse().map((warning) => element('li', warning)));
  }
}

function words(node) {
  const stats = node.stats || {};
  const said = [];
  if (stats.no_answer_from) said.push(`no answer from ${stats.no_answer_from}`);
  if (stats.slowest_copy && stats.slowest_copy.ms >= 200) said.push(`waits for its copies at ${stats.slowest_copy.node}`);
  if (stats.over_memory_limit > 0) said.push('over its memory limit');
  if (node.draining) said.push('drains');
  return said.join('; ');
}

const byName = (a, b) => a.role.localeCompare(b.role) || a.name.localeCompare(b.name, 'en', { numeric: true });

function showNodes(nodes) {
  fillTable('nodes', nodes.map((node) => {
    const server = node.role === 'server';
    const cell = (text) => [server ? text : '–', 'n'];
    const memory = server && node.memory_limit > 0
      ? `${mebibytes(node.bytes)} of ${mebibytes(node.memory_limit)}` : mebibytes(node.bytes || 0);
    return [node.name, node.role, node.alive ? ['yes', 'yes'] : ['no', 'no'], cell(number(node.shards)),
      cell(number(node.copies)), cell(number(node.rows)), cell(memory), cell(number(node.rows_per_second)),
      node.host, words(node)];
  }));
}

function showShards(status) {
  const rows = new Map();
  for (const node of status.nodes) {
    if (node.role === 'server' && (node.alive || node.shards + node.copies > 0)) rows.set(node.name, []);
  }
  const add = (name, shard, kind) => {
    if (rows.has(name)) rows.get(name).push([shard, kind]);
  };
  for (const [shard, entry] of (status.shards || []).entries()) {
    entry.chain.forEach((name, place) => add(name, shard, place === 0 ? 'leads' : 'copy'));
    if (entry.learner) add(entry.learner, shard, 'learner');
  }
  byId('shards-text').textContent = `${(status.shards || []).length} shards; filled: the server leads it, framed: ` +
    `it has a copy, dashed: it is learning it. ${status.moves.length} are on their way to another server.`;
  byId('shards').replaceChildren(...[...rows].map(([name, held]) => {
    const row = element('div', undefined, 'shard-row');
    const count = (kind) => held.filter(([, each]) => each === kind).length;
    const cells = element('div', undefined, 'cells');
    cells.setAttribute('role', 'img');
    cells.setAttribute('aria-label',
      `${name} leads ${count('leads')} shards, has copies of ${count('copy')}, learns ${count('learner')}`);
    held.sort(([, a], [, b]) => 'leads copy learner'.indexOf(a) - 'leads copy learner'.indexOf(b));
    for (const [shard, kind] of held) {
      const cell = element('i', undefined, kind);
      cell.title = `shard ${shard}: ${kind}`;
      cells.append(cell);
    }
    row.append(element('span', name), cells);
    return row;
  }));
  byId('hot').textContent = status.hot_shards.length === 0 ? '' : 'Most asked for: ' + status.hot_shards
    .map((hot) => `shard ${hot.shard} at ${hot.node} (${number(hot.rows_per_second)} rows a second)`).join(', ');
  fillTable('hot-keys', status.hot_keys.map((hot) =>
    [hot.table, [String(hot.key), 'n'], hot.node, [number(hot.rows_per_second), 'n']]));
}

function showRest(status) {
  const labels = status.staleness.map((unused, n) => (n === 0 ? '0' : n === 1 ? '1' : `${2 ** (n - 1)}+`));
  bars(byId('staleness'), status.staleness, labels, 'Pushes by staleness');
  fillTable('checkpoints', status.checkpoints.slice().reverse().map((each) => [
    each.directory.split('/').pop(), [number(each.passes), 'n'], [number(each.rows), 'n'], [mebibytes(each.bytes), 'n'],
    [each.seconds > 0 ? number(each.seconds) : '–', 'n'],
    each.best ? 'the best pass' : each.builds_on > 0 ? `changes since ${each.builds_on}` : 'all rows']));
  fillTable('work', status.partitions.map((part) => [
    part.name ? `${part.kind} ${part.name}` : part.kind, [String(part.partition), 'n'], part.holder || '–',
    part.done ? ['done', 'yes'] : `${part.watermark} of ${part.end || '?'} batches`]));
  if (byId('job-file').textContent !== status.job_text) byId('job-file').textContent = status.job_text;
}

function showHistory(history) {
  curve(byId('speed'), history.points.map(([at, , rate]) => [at, rate]), 'Examples a second', true);
  curve(byId('loss'), history.points.map(([at, , , loss]) => [at, loss]), 'Loss', false);
}

async function fetchJson(path) {
  const token = sessionStorage.getItem('token');
  const limit = AbortSignal.timeout ? AbortSignal.timeout(6000) : undefined;
  const answer = await fetch(path, { headers: token ? { Authorization: `Bearer ${token}` } : {}, signal: limit });
  byId('ask-token').hidden = answer.status !== 401;
  if (!answer.ok) throw new Error(answer.status === 401 ? 'the token is missing or wrong' : `HTTP ${answer.status}`);
  return answer.json();
}

let next = 0;

async function look() {
  clearTimeout(next);
  try {
    const [status, history] = await Promise.all([fetchJson('status'), fetchJson('history')]);
    byId('connection').textContent = '';
    status.nodes.sort(byName);
    showProgress(status);
    showNodes(status.nodes);
    showShards(status);
    showRest(status);
    showHistory(history);
  } catch (problem) {
    byId('connection').textContent = `No answer from the scheduler (${problem.message}); what is below may be old.`;
  }
  next = setTimeout(look, document.hidden ? 10000 : 1000);
}

byId('ask-token').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('token', byId('token').value);
  look();
});
look();
