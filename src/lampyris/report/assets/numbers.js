// Numbers as the page prints them: two or three digits, powers as superscripts, a deviation to two digits.

const raised = (n) => String(n).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
const power = (e) => "\u202f×\u202f10" + raised(e);

export function number(value, digits = 3) {
  if (!Number.isFinite(value)) return "n/a";
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e").map(Number);
  if (exponent >= -3 && exponent < 4) {
    return (mantissa * 10 ** exponent).toFixed(Math.max(0, digits - 1 - exponent)).replace("-", "−");
  }
  return mantissa.toFixed(digits - 1).replace("-", "−") + power(exponent);
}

export function withDeviation(value, deviation) {
  if (!(deviation > 0)) return number(value);
  // two digits of the deviation, and the value to the same place
  const last = 10 ** (Math.floor(Math.log10(deviation)) - 1);
  const shownDeviation = Math.round(deviation / last) * last;
  const shownValue = Math.round(value / last) * last;
  const exponent = Math.floor(Math.log10(Math.max(Math.abs(shownValue), shownDeviation)));
  const decimals = Math.min(4, Math.max(0, exponent - Math.floor(Math.log10(shownDeviation)) + 1));
  if (exponent >= -2 && exponent < 4) {
    const places = Math.max(0, decimals - exponent);
    return shownValue.toFixed(places).replace("-", "−") + " ± " + shownDeviation.toFixed(places);
  }
  const scale = 10 ** exponent;
  return "(" + (shownValue / scale).toFixed(decimals).replace("-", "−") + " ± " + (shownDeviation / scale).toFixed(decimals) + ")" + power(exponent);
}
