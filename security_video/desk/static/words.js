// Words of the page in its language; the server wrote them into the body, one table for both sides.
const table = JSON.parse(document.body.dataset.words);

/** Return the sentence of `key` with {names} filled in; an unknown key shows itself, so that a gap is seen. */
export function say(key, values = {}) {
  const sentence = table[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Return the word of a machine's value, `kind.smoke`, or the value itself where no word is known. */
export function word(family, value) {
  return table[`${family}.${value}`] ?? value;
}

/** Return the list of sentences `family.value.1`, `.2`, … or those of `family.other`. */
export function sentences(family, value, values = {}) {
  const root = table[`${family}.${value}.1`] === undefined ? `${family}.other` : `${family}.${value}`;
  const keys = [1, 2, 3, 4, 5].map((number) => `${root}.${number}`);
  return keys.filter((key) => key in table).map((key) => say(key, values));
}
