concat(toString(state), ':', multiIf(exception != '', toString(exception), status >= 400, concat('HTTP ', toString(status)), 'No exception recorded'))
