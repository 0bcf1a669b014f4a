// The red key. A press is written down first, then sent until it has its receipt; it never gets a second name.
tv.parts.push(function () {
  var layer = tv.by('al'), words = JSON.parse(layer.getAttribute('data-w')), panel = tv.by('fp'), seen = '', waited = 0;
  var ui = '', since = 0, again = 0, busy = false, away = false, J = read('alarm');
  var boot = read('boot') || { b: Math.floor(tv.now() / 1000), n: 0 };
  // J is the journal: q events without receipt, t first press, n tries, a alarm id, v its last known facts,
  // m put away, w why the server refused, s a desk has seen what is not recorded yet.
  // S are events that change nothing here; D the last digits with their times; boot also keeps who we are.
  var S = read('s') || [], D = read('d') || [], sending = false, held = '', timer;
  function read(name) {
    var raw, cookie = new RegExp('linli_' + name + '=([^;]+)').exec(document.cookie);
    try { raw = localStorage.getItem('linli_' + name); } catch (e) { raw = cookie && decodeURIComponent(cookie[1]); }
    return raw ? JSON.parse(raw) : null;
  }
  function keep(name, value) {
    var raw = JSON.stringify(value);
    try { localStorage.setItem('linli_' + name, raw); } catch (e) {
      document.cookie = 'linli_' + name + '=' + encodeURIComponent(raw) + ';path=/;max-age=86400';
    }
  }
  function save() { keep('alarm', J); draw(); }
  function ulid(ms) {
    var abc = '0123456789ABCDEFGHJKMNPQRSTVWXYZ', s = '', i;
    for (i = 0; i < 26; i += 1) {
      s = i < 10 ? abc.charAt(ms % 32) + s : s + abc.charAt(Math.random() * 32);
      ms = Math.floor(ms / 32);
    }
    return s;
  }
  function event(kind) {
    var t = tv.now();
    boot.n += 1;
    keep('boot', boot);
    return { device: boot.d, boot: boot.b, seq: boot.n, id: ulid(t), ts: t, e: kind, d: {} };
  }
  function add(kind) {
    J.q.push(event(kind));
    save();
    pump();
  }
  function over() { var v = J.v; return v && (v.stage === 'closed' || v.stage === 'cancelled'); }
  function raise() {
    ui = '';
    if (!J || over()) { J = { q: J ? J.q : [], t: tv.now(), n: 0 }; }
    J.m = 0;
    add('sos_pressed');
  }
  function last() { return J && J.q.length ? J.q[J.q.length - 1].e : ''; }
  // How many digits of the sequence are there; 0 also when it is complete. Pages change under the fingers, so that
  // the digits of five seconds are kept beside them.
  function digit(key) {
    var now = tv.now(), s = '', i, k = boot.q.length;
    D.push(key + now);
    while (now - D[0].substr(1) > 5000) { D.shift(); }
    for (i = 0; i < D.length; i += 1) { s += D[i].charAt(0); }
    while (k && s.substr(s.length - k) !== boot.q.substr(0, k)) { k -= 1; }
    if (k === boot.q.length) {
      k = 0;
      D = [];
      S.push(event('sos_silent'));
      keep('s', S);
      send();
    }
    keep('d', D);
    return k;
  }
  // A digit that may have more behind it waits for them: while a page opens, a slow box hears nothing.
  function hold(key) {
    clearTimeout(timer);
    held = key;
    timer = setTimeout(open, 900);
  }
  function open() {
    clearTimeout(timer);
    if (held) { tv.takers[1](held, true); }
    held = '';
  }
  function send() {
    if (!S[0] || sending) { return; }
    sending = true;
    tv.ask('POST', '/api/v1/alarms', S[0], function (status) {
      sending = false;
      if (status === 200 || status === 201) { S.shift(); keep('s', S); }
    });
  }
  function pump() {
    var first = J && J.q[0];
    send();
    if (!J || busy || (!first && (!J.a || ++waited % (J.m ? 10 : 1)))) { return; }
    busy = true;
    J.n += 1;
    tv.ask(first ? 'POST' : 'GET', '/api/v1/alarms' + (first ? '' : '/' + J.a), first, function (status, answer) {
      busy = false;
      if (!J) { return; }
      if (status === 200 || status === 201) {
        if (first) { J.q.shift(); }
        if (first && J.v && first.e === 'sos_pressed') { again = tv.now(); }
        J.v = answer.alarm;
        J.a = J.v.alarm_id;
        J.w = J.n = 0;
        if (J.m && over()) { J = null; }
      } else if (status === 202) { J.s = answer.seen; } else if (first && status >= 400 && status < 429) {
        // Taking back what is closed has nothing left to do; a refused press is said, and still tried again.
        if (first.e === 'cancelled') { J.q.shift(); } else { J.w = answer.error.message; }
      }
      save();
    });
  }
  function name() {
    var v = J && J.v;
    if (ui) { return ui; }
    // An alarm of another device of this home is shown as soon as something is known of it.
    if (!J || J.m || (!v && !J.q[0])) { return away ? 'offline' : ''; }
    if (last() === 'cancelled' && (v || J.s)) { return 'cancelling'; }
    if (v) { return tv.now() - again < 5000 ? 'pressed_again' : v.stage; }
    if (J.w || J.s) { return J.w ? 'refused' : 'seen'; }
    if (tv.now() - J.t < 10000) { return 'sent'; }
    return last() === 'cancelled' ? 'undoing' : 'late';
  }
  function fill(text) {
    var v = (J && J.v) || {}, ours = { home: tv.get('home'), tries: J && J.n, why: J && J.w, time: tv.clock(v.at || 0) };
    return (text || '').replace(/\{(\w+)\}/g, function (all, key) { return v[key] || ours[key] || ''; });
  }
  function turn(kind) {
    var gone = tv.now() - since, wait = J && J.v ? Math.max(0, tv.now() - J.v.recorded_at) : 0, path = tv.by('da-' + kind), a;
    var part = { hold: gone / 2000, ask: 1 - gone / 5000, send: tv.now() % 2000 / 2000, wait: wait / 60000 }[kind];
    var left = { hold: 2.9 - gone / 1000, ask: 5.9 - gone / 1000, wait: wait / 1000 }[kind];
    if (left !== undefined) { tv.set('dn-' + kind, Math.floor(left)); }
    if (path) {
      a = 2 * Math.PI * Math.min(part, 0.999);
      path.setAttribute('d', 'M168 18A150 150 0 ' + (part > 0.5 ? 1 : 0) + ' 1 ' + (168 + 150 * Math.sin(a)) + ' ' +
        (168 - 150 * Math.cos(a)));
    }
  }
  function choose(group, one) {
    var all = layer.getAttribute('data-' + group).split(' '), i;
    for (i = 0; i < all.length; i += 1) { tv.show(group + '-' + all[i], all[i] === one); }
  }
  function draw() {
    var n = name(), w = words[n], i, e, key = n + JSON.stringify(J);
    if (n || seen) { tv.show('al', n); }
    if (!n) { seen = ''; return; }
    tv.stay();
    turn(w[2]);
    if (key === seen) { return; }
    seen = key;
    tv.set('at', fill(w[0]));
    for (i = 1; i < 4; i += 1) {
      tv.set('a' + i, fill(w[1][i - 1]));
      e = w[5][i - 1] || ['', ''];
      tv.set('n' + i, e[0]);
      tv.set('f' + i, fill(e[1]));
    }
    choose('dk', w[2]);
    choose('kb', w[4]);
    tv.set('ds-' + w[2], w[8]);
    tv.show('go', n === 'ask');
    tv.show('dr', J && J.v && J.v.drill);
    tv.show('fp', w[5].length);
    panel.style.height = w[5].length * panel.getAttribute('data-row') + 16 + 'px';
    tv.set('nt', w[6]);
    tv.set('q4', w[7]);
    tv.show('ra', w[3] >= 0);
    tv.flag(tv.by('ra'), 'bd', w[2] === 'bad');
    for (i = 1; i < 5; i += 1) {
      e = tv.by('r' + i);
      tv.flag(e, 'dn', i <= w[3]);
      tv.flag(e, 'cu', i === w[3] + 1);
      tv.flag(tv.by('l' + i), 'ln', i <= w[3]);
    }
  }
  function leave() {
    var n = name();
    if (ui) { ui = ''; } else if (n === 'offline') { away = false; } else if (over()) { J = null; } else { J.m = 1; }
    save();
  }
  tv.offline = function (on) { if (away !== on) { away = on; draw(); } };
  tv.alarm = function (id) { if (id && !J) { J = { q: [], t: tv.now(), a: id }; pump(); } };
  tv.takers.unshift(function (key, down, repeated) {
    var n = name(), bar = n && words[n][4], k;
    if (boot.q && down && !repeated) {
      k = key >= '0' && key <= '9' ? digit(key) : 0;
      if (k && !n) { hold(key); return true; }
      if (key >= '0' && key <= '9') { held = ''; }
      open();
    }
    if (key === 'red' && !down && ui === 'hold') { ui = 'ask'; since = tv.now(); }
    if (key === 'red' && down && !repeated && !ui) { ui = tv.get('hold') ? 'hold' : 'ask'; since = tv.now(); }
    if (down && key === 'ok' && ui === 'ask') { raise(); }
    if (down && key === 'ok' && n === 'late') { pump(); }
    if (down && key === 'ok' && n === 'offline') { location.reload(); }
    if (down && key === 'back' && n) { if (bar === 'undo' || bar === 'again') { add('cancelled'); } else { leave(); } }
    draw();
    return n || key === 'red';
  });
  setInterval(function () {
    var gone = tv.now() - since;
    if (ui === 'hold' && gone >= 2000) { raise(); } else if (ui === 'ask' && gone >= 5000) { leave(); } else if (name()) { draw(); }
  }, 125);
  setInterval(pump, 1000);
  tv.by('go').onclick = raise;
  if (tv.by('raise')) { tv.by('raise').form.onsubmit = function () { raise(); return false; }; }
  // A page that was made while the database was away does not know whose it is; the box does.
  if (tv.get('dev')) { boot.d = tv.get('dev'); boot.q = tv.get('q'); }
  keep('boot', boot);
  tv.alarm(tv.get('alarm'));
  draw();
  pump();
});
