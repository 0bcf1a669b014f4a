// Keys of the remote become names; whoever takes a key first keeps it. ES5 only, no library.
// This stands in the head of the page: the parts begin when the page is there, and a key that comes before is kept.
var tv = { takers: [], parts: [] };
(function () {
  var names, early = [], born = +new Date(), server;
  tv.get = function (name) { return document.body.getAttribute('data-' + name) || ''; };
  tv.now = function () { return server + +new Date() - born; };
  tv.by = function (id) { return document.getElementById(id); };
  tv.set = function (id, text) { var e = tv.by(id); if (e) { e.textContent = text; } };
  tv.flag = function (e, name, on) {
    if (e) { e.className = (' ' + e.className + ' ').split(' ' + name + ' ').join(' ') + (on ? name : ''); }
  };
  tv.show = function (id, on) { tv.flag(tv.by(id), 'h', !on); };
  tv.clock = function (ms) { return new Date(ms + 288e5).toISOString().substr(11, 8); };
  // done(status, answer): status 0 is no network; a server that hangs counts as none after 4 s.
  tv.ask = function (method, url, data, done) {
    var x = new XMLHttpRequest(), timer;
    function end(status) {
      var answer = null, tell = done;
      done = function () { return 0; };
      clearTimeout(timer);
      try { answer = JSON.parse(x.responseText); } catch (e) { status = status === 204 ? 204 : 0; }
      tell(status, answer);
    }
    timer = setTimeout(function () { end(0); x.abort(); }, 4000);
    x.onreadystatechange = function () { if (x.readyState === 4) { end(x.status); } };
    x.open(method, url, true);
    if (data) { x.setRequestHeader('Content-Type', 'application/json'); }
    if (data && data.id) { x.setRequestHeader('Idempotency-Key', data.id); }
    x.send(data ? JSON.stringify(data) : null);
  };
  function on(down) {
    return function (e) {
      var code = e.keyCode || e.which, key = names && names[code], i;
      if (!names) { early.push([code, down]); }
      if (!key || e.ctrlKey || e.metaKey) { return true; }
      for (i = 0; i < tv.takers.length; i += 1) {
        if (tv.takers[i](key, down, e.repeat)) {
          e.preventDefault();
          return false;
        }
      }
      return true;
    };
  }
  // The red key and digits reach the alarm also when they came early; the others were pressed on the page before.
  function begin() {
    var i, key;
    if (names) { return; }
    names = JSON.parse(tv.get('k'));
    server = +tv.get('now');
    for (i = 0; i < tv.parts.length; i += 1) { tv.parts[i](); }
    for (i = 0; i < early.length; i += 1) {
      key = names[early[i][0]];
      if (key === 'red' || (key >= '0' && key <= '9')) { tv.takers[0](key, early[i][1]); }
    }
  }
  document.onreadystatechange = function () { if (document.readyState !== 'loading') { begin(); } };
  window.onload = begin;
  document.onkeydown = document.onirkeypress = on(true);
  document.onkeyup = on(false);
}());
