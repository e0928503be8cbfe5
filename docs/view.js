// The settings, the keys and the lecture mode of the page. What is chosen stands in the address's fragment, so that a
// link shows the same view, and is remembered.
'use strict';

const View = (() => {
  const root = document.documentElement;
  const bar = document.getElementById('bar');
  const help = document.getElementById('help');
  const spoken = document.getElementById('spoken');
  const phone = innerWidth < 700;
  const onOff = ['0', '1'];
  const allowed = {
    code: onOff, talk: ['all', 'paragraphs', 'none'], numbers: onOff, pictures: onOff, lines: onOff,
    size: Array.from({length: 29}, (_, i) => String(12 + i)), theme: ['system', 'light', 'dark'],
    columns: ['1', '2', '3'], bar: onOff, lecture: onOff,
  };
  const defaults = {
    code: '1', talk: 'all', numbers: '1', pictures: '1', lines: phone ? '0' : '1', size: phone ? '16' : '18',
    theme: 'system', columns: '1', bar: phone ? '0' : '1', lecture: '0',
  };
  const settings = {...defaults};
  let at = '';                                      // where we are: a section "3", or in lecture mode a stop "3.2"
  let part = 0;                                     // which screenful of a thought that is taller than the screen

  // ---- Remembered, and in the fragment ----

  function read(text) {
    const found = {};
    for (const [key, value] of new URLSearchParams(text)) {
      if (key === 'at') found.at = value;
      else if (allowed[key] && allowed[key].includes(value)) found[key] = value;
    }
    return found;
  }
  function remembered() {
    try { return read(localStorage.getItem('microgpt view') || ''); } catch { return {}; }
  }
  function keep() {
    const text = new URLSearchParams(settings).toString();
    try { localStorage.setItem('microgpt view', text); } catch { /* not allowed here: then it is forgotten */ }
    try { history.replaceState(null, '', '#' + text + (at ? '&at=' + at : '')); } catch { /* the same */ }
  }

  // ---- Settings ----

  const dark = matchMedia('(prefers-color-scheme: dark)');
  const theme = () => settings.theme === 'system' ? (dark.matches ? 'dark' : 'light') : settings.theme;

  function apply() {
    const before = [root.dataset.theme, root.style.fontSize, root.dataset.columns].join();
    for (const key of ['code', 'talk', 'numbers', 'pictures', 'lines', 'columns', 'bar', 'lecture']) {
      root.dataset[key] = settings[key];
    }
    root.dataset.theme = theme();
    root.style.fontSize = settings.size + 'px';
    for (const key of ['code', 'numbers', 'pictures', 'lines', 'lecture']) {
      bar.elements[key].checked = settings[key] === '1';
    }
    bar.elements['talk-column'].checked = settings.talk !== 'none';
    bar.elements.talk.value = settings.talk;
    bar.elements.size.value = settings.size;
    bar.elements['size-shown'].value = settings.size + ' px';
    bar.elements.theme.value = settings.theme;
    bar.elements.columns.value = settings.columns;
    measure();
    if (before !== [root.dataset.theme, root.style.fontSize, root.dataset.columns].join()) {
      document.dispatchEvent(new CustomEvent('view:change'));
    }
  }
  function measure() {
    const fixed = settings.bar === '1' && getComputedStyle(bar).position === 'sticky';
    root.style.setProperty('--bar-height', (fixed ? bar.offsetHeight : 0) + 'px');
  }

  // Change settings; what the reader looked at stays where it was.
  function set(changes) {
    const place = settings.lecture === '1' ? null : topmost();
    const offset = place && place.getBoundingClientRect().top;
    const lecture = settings.lecture;
    Object.assign(settings, changes);
    apply();
    if (settings.lecture === '1') {
      if (lecture !== '1') at = first(place);
      light();
      expect_pictures();
    } else {
      if (lecture === '1') dark_out();
      if (place && place.getClientRects().length) scrollBy({top: place.getBoundingClientRect().top - offset, behavior: 'instant'});
      at = section();
    }
    keep();
  }
  const flip = key => set({[key]: settings[key] === '1' ? '0' : '1'});
  const turn = key => set({[key]: allowed[key][(allowed[key].indexOf(settings[key]) + 1) % allowed[key].length]});
  const grow = by => set({size: String(Math.min(40, Math.max(12, Number(settings.size) + by)))});
  const talkColumn = () => set({talk: settings.talk === 'none' ? 'all' : 'none'});

  // ---- Places ----

  const sections = [...document.querySelectorAll('.section')];
  const stops = [...document.querySelectorAll('[data-at]')];
  stops.forEach(stop => stop.classList.add('stop'));
  const open = () => stops.filter(stop => stop.getClientRects().length && stop.getBoundingClientRect().height > 0);
  const edge = () => (settings.bar === '1' ? parseFloat(root.style.getPropertyValue('--bar-height')) : 0);

  function topmost() {                              // the first line or stop that is not above the screen
    const from = edge() + 60;
    if (scrollY < 40) return null;
    for (const stop of open()) {
      if (stop.getBoundingClientRect().bottom < from) continue;
      const rows = [...stop.children].filter(row => row.getClientRects().length);
      return rows.find(row => row.getBoundingClientRect().bottom >= from) || stop;
    }
    return null;
  }
  function section() {                              // the section on top of the screen, or the last that was chosen
    if (settings.columns !== '1') return at.split('.')[0];
    const above = sections.filter(each => each.getBoundingClientRect().top <= edge() + 120);
    const number = above.length ? above[above.length - 1].dataset.section : '';
    return number === '0' ? '' : number;
  }
  function goTo(number) {
    const target = document.getElementById('section-' + number);
    if (!target) return;
    if (settings.lecture === '1') {
      at = (open().find(stop => target.contains(stop)) || open()[0]).dataset.at;
      part = 0;
      light();
    } else {
      scrollTo({top: number === '0' ? 0 : target.getBoundingClientRect().top + scrollY - edge(), behavior: 'instant'});
      at = number;
    }
    keep();
  }
  function turnSection(by) {
    const here = Number(settings.lecture === '1' ? at.split('.')[0] : section() || 0);
    goTo(String(Math.min(sections.length - 1, Math.max(0, here + by))));
  }

  // ---- Lecture mode ----

  function first(place) {                           // where the lecture begins: at what the reader looks at
    const stop = place && place.closest('.stop');
    part = 0;
    return (stop || open()[0]).dataset.at;
  }
  function current() {
    const all = open();
    return all.find(stop => stop.dataset.at === at) || all.find(stop => stop.dataset.at.split('.')[0] === at) || all[0];
  }
  function dark_out() {
    for (const element of document.querySelectorAll('.lit, .parted, .part')) {
      element.classList.remove('lit', 'parted', 'part');
      element.style.fontSize = element.style.zoom = '';
      element.removeAttribute('aria-current');
    }
    spoken.textContent = '';
  }

  // Light the current thought and bring it whole onto the screen. One that is too tall is set smaller, a picture
  // down to a half, words down to four fifths; one that is still too tall is shown in screenfuls of whole lines.
  function light() {
    dark_out();
    watch.disconnect();
    const stop = current();
    if (!stop) return;
    at = stop.dataset.at;
    stop.classList.add('lit');
    stop.setAttribute('aria-current', 'true');
    const heading = stop.closest('.section').querySelector('h2');
    const sticky = heading && getComputedStyle(heading).position === 'sticky' ? heading.offsetHeight : 0;
    const top = edge() + sticky + 14;
    const room = innerHeight - top - 34;
    const height = () => stop.getBoundingClientRect().height;
    const picture = !stop.classList.contains('thought');
    const resize = scale => { if (picture) stop.style.zoom = scale; else stop.style.fontSize = scale + 'em'; };
    const least = picture ? .5 : Math.max(.795, 12 / settings.size);
    for (let scale = .95; height() > room && scale >= least; scale -= .05) resize(scale);
    if (height() > room) resize(1);
    const parts = screenfuls(stop, room);
    if (part < 0 || part >= parts.length) part = parts.length - 1;
    let from = stop.getBoundingClientRect().top, to = stop.getBoundingClientRect().bottom;
    if (parts.length > 1) {
      if (parts[part].rows) {
        stop.classList.add('parted');
        parts[part].rows.forEach(row => row.classList.add('part'));
      }
      [from, to] = [from + parts[part].from, from + parts[part].to];
    }
    scrollBy({top: from - top - Math.max(0, (room - (to - from)) / 2), behavior: 'instant'});
    const inSection = open().filter(each => each.dataset.at.split('.')[0] === at.split('.')[0]);
    const title = stop.closest('.section').dataset.title;
    known = {stop, height: stop.getBoundingClientRect().height};
    watch.observe(stop);
    spoken.textContent = (title ? `${at.split('.')[0]}. ${title}` : 'microgpt') + `, ${inSection.indexOf(stop) + 1} of ${inSection.length}` +
      (parts.length > 1 ? `, screen ${part + 1} of ${parts.length}` : '');
  }
  // A picture may grow after it was fitted: fit it again, but not under the hands of someone who uses it.
  let known = {}, again = 0;
  const watch = new ResizeObserver(() => {
    if (settings.lecture !== '1' || !known.stop || Math.abs(known.stop.getBoundingClientRect().height - known.height) < 3) return;
    if (known.stop.contains(document.activeElement) && document.activeElement.matches('input, textarea, select')) return;
    if (again > 3) return;                          // it changes whenever it is fitted: leave it
    again++;
    setTimeout(() => { again--; }, 1500);
    light();
  });
  // Pictures are drawn only after the page has come, or has changed, and may push the thought away: bring it back.
  let awaited = 0;
  const expect_pictures = () => { awaited = performance.now() + 1500; };
  const moved = new ResizeObserver(() => requestAnimationFrame(() => {
    if (settings.lecture === '1' && performance.now() < awaited) light();
  }));
  for (const kind of ['wheel', 'pointerdown', 'keydown']) addEventListener(kind, () => { awaited = 0; }, {capture: true, passive: true});
  function screenfuls(stop, room) {
    const box = stop.getBoundingClientRect();
    if (box.height <= room + 1) return [{from: 0, to: box.height}];
    if (!stop.classList.contains('thought')) {
      const many = Math.ceil(box.height / room);
      return Array.from({length: many}, (_, i) => ({from: i * room, to: Math.min(box.height, (i + 1) * room)}));
    }
    const parts = [];
    for (const row of stop.children) {
      const {top, bottom} = row.getBoundingClientRect();
      if (bottom === top) continue;
      const last = parts[parts.length - 1];
      if (last && bottom - box.top - last.from <= room) { last.to = bottom - box.top; last.rows.push(row); }
      else parts.push({from: top - box.top, to: bottom - box.top, rows: [row]});
    }
    return parts;
  }
  function step(by) {
    const all = open(), here = all.indexOf(current());
    const screens = spoken.textContent.match(/screen (\d+) of (\d+)$/);
    if (screens && part + by >= 0 && part + by < Number(screens[2])) part += by;
    else if (all[here + by]) { at = all[here + by].dataset.at; part = by > 0 ? 0 : -1; }
    light();
    keep();
  }
  function end(last) {
    const all = open();
    at = all[last ? all.length - 1 : 0].dataset.at;
    part = last ? -1 : 0;
    light();
    keep();
  }
  function answer() {
    const number = (settings.lecture === '1' ? at.split('.')[0] : section()) || '1';
    const question = document.querySelector(`#section-${number} .question`);
    const folded = question && question.querySelector('details');
    if (!folded) return;
    folded.open = !folded.open;
    if (settings.lecture === '1') { at = question.dataset.at; part = 0; light(); keep(); }
    else question.scrollIntoView({block: 'nearest', behavior: 'instant'});
  }

  // ---- Keys ----

  const keys = new Map();
  function addKey(key, description, handler) {
    keys.set(key, {description, handler});
  }
  const shown = {ArrowRight: '→ ↓ Space', ArrowLeft: '← ↑', Escape: 'Esc', '-': '−'};
  function list() {
    const box = document.getElementById('keys');
    box.replaceChildren();
    for (const [key, {description}] of keys) {
      if (!description) continue;
      const dt = document.createElement('dt'), dd = document.createElement('dd');
      for (const name of (shown[key] || key).split(' ')) {
        const kbd = document.createElement('kbd');
        kbd.textContent = name;
        dt.append(kbd, ' ');
      }
      dd.textContent = description;
      const pair = document.createElement('div');
      pair.append(dt, dd);
      box.append(pair);
    }
  }
  const showHelp = () => { if (help.open) help.close(); else { list(); help.showModal(); } };
  const hideBar = () => {
    const inside = bar.contains(document.activeElement) || document.activeElement.id === 'show-bar';
    flip('bar');
    if (inside) (settings.bar === '1' ? bar.elements.code : document.getElementById('show-bar')).focus({preventScroll: true});
  };
  addKey('?', 'this list', showHelp);
  addKey('s', 'settings: show or hide the bar', hideBar);
  addKey('c', 'code column', () => flip('code'));
  addKey('t', 'talk column', talkColumn);
  addKey('n', 'numbers column', () => flip('numbers'));
  addKey('k', 'talk: all, paragraphs only, none', () => turn('talk'));
  addKey('p', 'pictures', () => flip('pictures'));
  addKey('r', 'line numbers', () => flip('lines'));
  addKey('+', 'larger type', () => grow(1));
  addKey('=', '', () => grow(1));
  addKey('-', 'smaller type', () => grow(-1));
  addKey('0', 'type as at first', () => set({size: defaults.size}));
  addKey('d', 'light, dark, as the system', () => turn('theme'));
  for (const many of allowed.columns) {
    addKey(many, `the page in ${many} ${many === '1' ? 'column' : 'columns'}`, () => set({columns: many}));
  }
  addKey('.', 'next section', () => turnSection(1));
  addKey(',', 'previous section', () => turnSection(-1));
  addKey('a', 'answer to the section\'s question', answer);
  addKey('l', 'lecture mode: one thought at a time', () => flip('lecture'));
  addKey('ArrowRight', 'in lecture mode: next thought', () => step(1));
  addKey('ArrowLeft', 'in lecture mode: previous thought', () => step(-1));
  addKey('Home', 'in lecture mode: first thought', () => end(false));
  addKey('End', 'in lecture mode: last thought', () => end(true));
  addKey('Escape', 'leave lecture mode', () => { if (settings.lecture === '1') flip('lecture'); });
  const same = {ArrowDown: 'ArrowRight', ' ': 'ArrowRight', PageDown: 'ArrowRight', ArrowUp: 'ArrowLeft', PageUp: 'ArrowLeft'};
  const lectureOnly = new Set(['ArrowRight', 'ArrowLeft', 'Home', 'End', 'Escape']);

  addEventListener('keydown', event => {
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    if (event.defaultPrevented || (modified && !event.getModifierState('AltGraph'))) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.matches('textarea, select, [contenteditable], input:not([type="checkbox"], [type="radio"], [type="range"], [type="button"])')) return;
    if (help.open) { if (event.key === '?') { event.preventDefault(); help.close(); } return; }
    const key = same[event.key] || event.key;
    const entry = keys.get(key);
    if (!entry) return;
    if (lectureOnly.has(key)) {
      if (settings.lecture !== '1') return;
      if (target.matches('input[type="range"], input[type="radio"]') && event.key !== 'Escape') return;
      if (event.key === ' ' && target.matches('button, summary, input, a')) return;
    }
    event.preventDefault();
    entry.handler(event);
  });

  // ---- By click ----

  bar.addEventListener('submit', event => event.preventDefault());
  bar.addEventListener('input', event => {
    const {name, value, checked, type} = event.target;
    if (name === 'talk-column') talkColumn();
    else if (name === 'section') {
      goTo(value);
      if (!event.target.matches(':focus-visible')) event.target.blur();       // chosen by pointer: keys go to the page
    }
    else if (name) set({[name]: type === 'checkbox' ? (checked ? '1' : '0') : value});
  });
  document.addEventListener('click', event => {
    const button = event.target.closest('[data-do]');
    const press = {help: showHelp, bar: hideBar, back: () => step(-1), next: () => step(1)};
    if (button) return press[button.dataset.do]();
    const link = event.target.closest('a[href^="#section-"]');
    if (link) {
      event.preventDefault();
      goTo(link.hash.slice('#section-'.length));
    }
    if (settings.lecture === '1') {                 // a click on a thought lights it
      const stop = event.target.closest('.stop:not(.lit)');
      if (stop && !event.target.closest('button, input, select, textarea, summary, a')) { at = stop.dataset.at; part = 0; light(); keep(); }
    }
  });

  // ---- Words of the field ----

  const says = document.getElementById('says');
  function explain(event) {
    const word = event.type === 'focusout' ? null : event.target.closest('.word');
    says.hidden = !word;
    says.textContent = word ? word.dataset.says : '';
  }
  for (const kind of ['pointerover', 'focusin', 'focusout']) document.addEventListener(kind, explain);
  addEventListener('keydown', event => { if (event.key === 'Escape') says.hidden = true; });

  // ---- Begin ----

  function arrive() {                               // from the fragment: settings, a section or a line
    const text = location.hash.slice(1);
    const found = read(text);
    const known = Object.keys(found).length > 0;
    Object.assign(settings, defaults, known ? found : remembered());
    delete settings.at;
    apply();
    at = found.at || '';
    part = 0;
    if (settings.lecture === '1') {
      light();
      expect_pictures();
    } else {
      dark_out();
      const target = known ? document.getElementById('section-' + at.split('.')[0]) : text && document.getElementById(text);
      if (target) scrollTo({top: target.getBoundingClientRect().top + scrollY - edge(), behavior: 'instant'});
      const within = target && target.closest('.section');
      at = within ? within.dataset.section : section();
    }
    keep();
  }
  let later = 0;
  function settle() {                               // after scrolling: the section on top goes into the fragment
    clearTimeout(later);
    later = setTimeout(() => {
      bar.elements.section.value = section() || '0';
      if (settings.lecture !== '1' && at !== section()) { at = section(); keep(); }
    }, 200);
  }

  document.addEventListener('DOMContentLoaded', () => {
    for (const each of sections) {
      const {section: number, title} = each.dataset;
      bar.elements.section.append(new Option(number === '0' ? 'the beginning' : `${number}. ${title}`, number));
    }
    apply();
    const data = JSON.parse(document.getElementById('data').textContent);
    if (typeof Pictures !== 'undefined') Pictures.mountAll(data);
    if ('scrollRestoration' in history) history.scrollRestoration = 'manual';
    arrive();
    addEventListener('hashchange', arrive);
    addEventListener('scroll', settle, {passive: true});
    addEventListener('resize', () => { measure(); if (settings.lecture === '1') light(); });
    dark.addEventListener('change', apply);
    new ResizeObserver(measure).observe(bar);
    moved.observe(document.getElementById('lecture'));
  });

  // For the pictures: in lecture mode, light a stop such as "9.loss"; else bring it onto the screen.
  function go(stop) {
    const target = stops.find(each => each.dataset.at === stop);
    if (!target) return;
    if (settings.lecture === '1') { at = stop; part = 0; light(); keep(); } else target.scrollIntoView({block: 'start', behavior: 'instant'});
  }

  return {addKey, go, settings: () => ({...settings, at})};
})();
