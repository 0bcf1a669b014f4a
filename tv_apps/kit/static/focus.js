// Focus follows the graph that the server made; no geometry here. Also digits, BACK, colour keys, news, the clock.
tv.parts.push(function () {
  var at = tv.by(tv.get('f')), missed = 0, message = '', idle;
  function go(href) {
    if (missed > 1) { tv.offline(true); } else if (href) { location.href = href; }
  }
  function move(way) {
    var to = at && tv.by(at.getAttribute('data-' + way) || '-'), ring = tv.by('ring').style, b;
    if (!to) { go(tv.get(way)); return; }
    tv.flag(at, 'on', false);
    tv.flag(to, 'on', true);
    at = to;
    b = at.getAttribute('data-b').split(',');
    ring.left = b[0] + 'px';
    ring.top = b[1] + 'px';
    ring.width = b[2] + 'px';
    ring.height = b[3] + 'px';
    ring.borderRadius = b[4] + 'px';
  }
  function press(e) { if (e && e.form) { e.form.submit(); } else if (e) { go(e.href); } }
  function digit(n) {
    var all = document.getElementsByTagName('a'), i;
    for (i = 0; i < all.length; i += 1) { if (all[i].getAttribute('data-n') === n) { press(all[i]); return; } }
    go('/tv/s/' + n);
  }
  function choose(what) {
    tv.ask('POST', '/api/v1/tv/choices', what, function (status) { if (status === 204) { location.reload(); } });
  }
  function dismiss() {
    tv.ask('POST', '/api/v1/tv/messages/' + message + '/seen', {}, news);
    message = '';
    tv.show('ms', false);
  }
  function to(href) { return function () { go(href || tv.get('back')); }; }
  function arrow(way) { return function () { move(way); }; }
  var acts = {
    up: arrow('u'), down: arrow('d'), left: arrow('l'), right: arrow('r'),
    ok: function () { press(at); }, back: to(), menu: to('/tv/more'),
    yellow: function () { choose({ text_size: tv.get('size') }); },
    green: function () {
      var voice = window.speechSynthesis, text = tv.by('s').textContent.replace(/\s+/g, '，').substr(0, 600);
      if (voice) { voice.cancel(); voice.speak(new window.SpeechSynthesisUtterance(text)); }
    }
  };
  tv.takers.push(function (key, down) {
    tv.stay();
    if (down && message && (key === 'ok' || key === 'back')) { dismiss(); return true; }
    if (down && key >= '0' && key <= '9') { digit(key); } else if (down && acts[key]) { acts[key](); }
    return true;
  });
  tv.stay = function () { clearTimeout(idle); };
  function news() {
    tv.ask('GET', '/api/v1/tv/now', null, function (status, answer) {
      var first;
      missed = status === 200 ? 0 : missed + 1;
      if (!missed || tv.by('t4')) { tv.offline(missed > 1); }
      if (missed) { return; }
      tv.set('ck', tv.clock(answer.now).substr(0, 5));
      tv.alarm(answer.alarm);
      first = answer.messages[0] || {};
      message = first.id;
      tv.set('mt', first.title);
      tv.set('mb', first.body);
      tv.set('mo', first.source);
      tv.show('ms', message);
    });
  }
  if (tv.get('probe') && document.createElementNS('http://www.w3.org/2000/svg', 'svg').createSVGRect) {
    choose({ tier: 'f1' });
  }
  if (tv.get('idle')) { idle = setTimeout(to('/tv/live'), tv.get('idle') * 1000); }
  setInterval(news, tv.get('poll') * 1000);
  setTimeout(news, 300);
});
